"use strict";
// Only lights up what belongs together, lets n / p walk through the findings and adds up shares anew; links and filters work without it.
(() => {
  const report = document.querySelector(".report");
  if (!report) return;
  const items = [...report.querySelectorAll(".item[data-n]")];
  const marksOf = (n) => document.querySelectorAll(`mark[data-f~="${n}"]`);
  let lit = null;
  const light = (n) => {
    if (lit === n) return;
    for (const old of report.querySelectorAll(".current")) old.classList.remove("current");
    lit = n;
    if (!n) return;
    document.getElementById(`f${n}`)?.classList.add("current");
    for (const mark of marksOf(n)) if (mark.title) mark.classList.add("current");
  };
  const target = () => /^#[fp](\d+)$/.exec(location.hash)?.[1] ?? null;
  // The words that a link has led to; on a page of its own the style does it without a script.
  const spot = () => {
    for (const old of report.querySelectorAll(".lit")) old.classList.remove("lit");
    const number = /^#k(\d+)$/.exec(location.hash);
    if (number) for (const one of report.querySelectorAll(`[data-k~="${number[1]}"]`)) one.classList.add("lit");
  };
  const follow = () => {
    light(target());
    spot();
  };
  addEventListener("hashchange", follow);
  follow();
  // Filters where the style cannot ask for the boxes' state.
  if (!CSS.supports("selector(:has(a))")) {
    for (const input of report.querySelectorAll(".filter input")) {
      const name = input.id.replace("show-", "no-");
      input.addEventListener("change", () => report.classList.toggle(name, !input.checked));
    }
  }
  // A click on a number in the text also brings its finding into view, and the other way round, without losing the place.
  for (const badge of document.querySelectorAll(".text .badge")) {
    badge.addEventListener("click", () => light(badge.textContent));
  }
  for (const item of items) {
    item.addEventListener("mouseenter", () => light(item.dataset.n));
    item.addEventListener("mouseleave", () => light(target()));
  }
  for (const mark of document.querySelectorAll("mark[title]")) {
    mark.addEventListener("mouseenter", () => light(mark.dataset.f.split(" ")[0]));
    mark.addEventListener("mouseleave", () => light(target()));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const step = { n: 1, j: 1, p: -1, k: -1 }[event.key];
    // A page of the service may want the letter for something else.
    if (!step || event.defaultPrevented || document.querySelector(`[data-key="${event.key}"]`)) return;
    const shown = items.filter((item) => item.offsetParent);
    const at = shown.findIndex((item) => item.dataset.n === target());
    const next = at < 0 ? shown[step > 0 ? 0 : shown.length - 1] : shown[at + step];
    if (!next) return;
    next.scrollIntoView({ block: "nearest" });
    location.hash = `p${next.dataset.n}`;
  });
})();
// What is shared with past benchmarks: shares added up anew when the reader counts what was left out (service/render/stretches.py).
(() => {
  // A link into what is folded away unfolds it; paper shows everything.
  const reveal = () => {
    const target = /^#m\d+-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", reveal);
  reveal();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".matches details:not([open])")];
    for (const box of folded) box.open = true;
  });
  addEventListener("afterprint", () => {
    for (const box of folded) box.open = false;
  });

  const box = document.getElementById("figures");
  const form = box?.querySelector("form");
  if (!box?.dataset.sums) return;
  const { own, passages, stretches } = JSON.parse(box.dataset.sums);
  const inputs = [...form.querySelectorAll("input")];
  const reasons = inputs.map((input) => input.value).filter((value) => value !== "own");
  const quote = reasons.indexOf("quote") + 1;
  const shown = [...document.querySelectorAll("[data-sum], [data-match]")];
  const told = new Map(shown.map((one) => [one, one.textContent]));

  // Shares of the text where `counted` reasons count as well: [all, first half, second half].
  const shares = (counted, body, wanted) => {
    const counts = (reason) => !reason || counted.has(reason);
    const sizes = stretches.map(([weight, reason]) => (!reason || body.has(reason) ? weight : 0));
    const size = Math.max(1, sizes.reduce((sum, one) => sum + one, 0));
    let before = 0;
    let first = 0;
    let matched = 0;
    stretches.forEach(([, reason, over], index) => {
      const weight = sizes[index];
      if (counts(reason) && over.some((number) => counts(passages[number][1]) && wanted(passages[number][0]))) {
        matched += weight;
        first += weight * Math.min(1, Math.max(0, (size / 2 - before) / (weight || 1)));
      }
      before += weight;
    });
    return [matched / size, (2 * first) / size, (2 * (matched - first)) / size];
  };
  const percent = (share) => (share > 0 && share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`);

  const add = () => {
    const chosen = inputs.filter((input) => input.checked).map((input) => input.value);
    const counted = new Set(chosen.filter((value) => value !== "own").map((value) => reasons.indexOf(value) + 1));
    const body = new Set([...counted, quote]);
    const with_own = chosen.includes("own");
    const anew = counted.size > 0 || !with_own;
    const ours = (number) => with_own || !own[number];
    const all = shares(counted, body, ours);
    const single = own.map((_, match) => shares(counted, body, (number) => number === match)[0]);
    const sums = {
      without_quotes: all[0],
      first_half: all[1],
      second_half: all[2],
      largest_single: Math.max(0, ...single.filter((_, match) => ours(match))),
      total: shares(body, body, ours)[0],
      without_own: shares(counted, body, (number) => !own[number])[0],
    };
    for (const one of shown) {
      const share = one.dataset.sum ? sums[one.dataset.sum] : single[Number(one.dataset.match)];
      one.textContent = anew ? percent(share) : told.get(one);
      one.classList.toggle("anew", one.textContent !== told.get(one));
    }
    for (const passage of document.querySelectorAll(".passage[data-out]")) {
      const inside = chosen.includes(passage.dataset.out);
      passage.classList.toggle("counted-in", inside);
      const why = passage.querySelector(".why-out");
      why.textContent = why.textContent.replace(/^[^：]+/, inside ? "已计入" : "不计入");
    }
    for (const one of form.querySelectorAll("button, output")) one.hidden = !anew;
  };
  form.addEventListener("change", add);
  form.addEventListener("reset", () => setTimeout(add));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
