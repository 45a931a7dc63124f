"use strict";
// Only lights up what belongs together and lets n / p walk through the findings; links and filters work without it.
(() => {
  const items = [...document.querySelectorAll(".item")];
  const marksOf = (n) => document.querySelectorAll(`mark[data-f~="${n}"]`);
  let lit = null;
  const light = (n) => {
    if (lit === n) return;
    for (const old of document.querySelectorAll(".current")) old.classList.remove("current");
    lit = n;
    if (!n) return;
    document.getElementById(`f${n}`)?.classList.add("current");
    for (const mark of marksOf(n)) if (mark.title) mark.classList.add("current");
  };
  const target = () => /^#[fp](\d+)$/.exec(location.hash)?.[1] ?? null;
  addEventListener("hashchange", () => light(target()));
  light(target());
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
    if (!step) return;
    const shown = items.filter((item) => item.offsetParent);
    const at = shown.findIndex((item) => item.dataset.n === target());
    const next = at < 0 ? shown[step > 0 ? 0 : shown.length - 1] : shown[at + step];
    if (!next) return;
    next.scrollIntoView({ block: "nearest" });
    location.hash = `p${next.dataset.n}`;
  });
})();
