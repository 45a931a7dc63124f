"use strict";
// /batches/new: the batch is made first, then its page takes the files one by one (app.js). /batches/7: rows that changed are put in.
(() => {
  const box = document.querySelector("[data-progress]");
  const form = document.querySelector("form[data-batch=new]");

  // Files that were chosen with the new batch cross to its page in this one: they are sent here, three at a time.
  if (form) {
    form.addEventListener("submit", async (event) => {
      const input = form.querySelector("input[type=file]");
      const files = [...input.files];
      if (files.length < 2) return; // one request does as well
      event.preventDefault();
      if (form.dataset.busy) return;
      form.dataset.busy = "1";
      const button = form.querySelector("button[type=submit]");
      const told = document.createElement("p");
      const bar = document.createElement("progress");
      told.setAttribute("role", "status");
      bar.max = files.length;
      bar.value = 0;
      bar.setAttribute("aria-label", "已上传的文件");
      button.disabled = true;
      button.closest("p").after(told, bar);
      const data = new FormData(form);
      data.delete(input.name);
      const made = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" }).catch(() => null);
      if (!made || !made.ok) {
        told.className = "wrong";
        told.textContent = "批次没有建成。请检查网络和所填内容后再试。";
        button.disabled = false;
        delete form.dataset.busy;
        return;
      }
      const address = new URL(made.url).pathname;
      const leave = (leaving) => { leaving.preventDefault(); leaving.returnValue = ""; };
      addEventListener("beforeunload", leave);
      let lost = 0;
      const send = async (file) => {
        const one = new FormData();
        one.append("csrf", form.elements.csrf.value);
        one.append("files", file, file.name);
        const answer = await fetch(`${address}/files`, { method: "POST", body: one, credentials: "same-origin", headers: { "X-Upload": "each" } }).catch(() => null);
        return Boolean(answer && answer.ok);
      };
      const work = async () => {
        for (let file = files.shift(); file; file = files.shift()) {
          if (!(await send(file)) && !(await send(file))) lost += 1;
          bar.value += 1;
          told.textContent = `正在上传 ${bar.value} / ${bar.max} 个文件${lost ? `，${lost} 个没有传上` : ""}。请不要关闭页面。`;
        }
      };
      await Promise.all([work(), work(), work()]);
      removeEventListener("beforeunload", leave);
      if (lost) document.cookie = `biaogan_flash=${encodeURIComponent(`${lost} 个文件没有传上，请在“再加文件”中重新选择。`)}; path=/; max-age=60; samesite=lax`;
      location.assign(address);
    });
  }

  if (!box) return;
  for (const one of document.querySelectorAll(".no-script")) one.hidden = true;
  const body = document.querySelector("[data-rows]");
  const told = box.querySelector("[data-told]");
  let since = box.dataset.since;
  let wait = 1500;
  const put = (html) => {
    const table = document.createElement("table");
    table.innerHTML = `<tbody>${html}</tbody>`;
    for (const row of [...table.querySelectorAll("tr")]) {
      const old = document.getElementById(row.id);
      if (old && old.innerHTML === row.innerHTML) continue;
      if (!old && box.dataset.show) continue; // a filtered view gets no new rows
      row.classList.add("changed");
      if (old && old.contains(document.activeElement)) continue;
      if (old) old.replaceWith(row);
      else body.append(row);
    }
    if (body.children.length) {
      body.closest("[hidden]") && (body.closest("[hidden]").hidden = false);
      const empty = document.querySelector("[data-empty]");
      if (empty) empty.remove();
    }
  };
  const ask = async () => {
    if (document.hidden) return later();
    try {
      const answer = await fetch(`${box.dataset.progress}?since=${encodeURIComponent(since)}`, { credentials: "same-origin", headers: { "X-Poll": "1" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return undefined;
      if (!answer.ok) throw new Error(String(answer.status));
      const now = await answer.json();
      since = now.since;
      wait = 1500;
      for (const place of document.querySelectorAll("[data-count-of]")) {
        const name = place.dataset.countOf;
        place.textContent = name === "wrong" ? now.failed + now.refused : now[name];
      }
      const bar = box.querySelector("progress");
      bar.max = Math.max(1, now.files);
      bar.value = now.settled;
      put(now.rows);
      if (now.files && now.settled === now.files && told.textContent !== "全部处理完毕") told.textContent = "全部处理完毕";
      return now.over ? undefined : later();
    } catch (error) {
      wait = Math.min(wait * 2, 30000);
      return later();
    }
  };
  const later = () => { setTimeout(ask, wait); };
  later();
})();
