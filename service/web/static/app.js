"use strict";
// Only makes faster and handier what every page also does without it. Pages say what they want by data attributes; each is told below.
(() => {
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const clock = () => new Date().toTimeString().slice(0, 5);
  const typing = (target) => Boolean(target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));
  const shown = (element) => element.offsetParent !== null && !element.disabled;

  // Problem+json's detail, an error page's message, else a sentence of our own.
  const messageOf = (status, body) => {
    try {
      const told = JSON.parse(body);
      if (told.detail) return told.detail;
    } catch (error) {
      const page = new DOMParser().parseFromString(body, "text/html").querySelector(".failure-message, .wrong");
      if (page) return page.textContent.trim();
    }
    return status ? `没有成功（${status}）。请稍后再试。` : "连接中断。请检查网络后再试。";
  };

  // --- Uploads: <form data-upload> sends all files in one request; <form data-upload="each"> one request a file (X-Upload: each; the server
  // answers 204), then goes to data-then. [data-drop] takes files that are dropped.
  const size = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`);
  const row = (list, name, words) => {
    const line = document.createElement("li");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    const [title, told] = [document.createElement("span"), document.createElement("span")];
    title.textContent = name;
    told.textContent = words;
    line.append(title, bar, told);
    list.append(line);
    list.hidden = false;
    return {
      step: (share) => { bar.value = share; told.textContent = share < 1 ? `${Math.floor(share * 100)}%` : "等待回应"; },
      end: (wrong) => { bar.value = 1; told.className = wrong ? "wrong" : "done"; told.textContent = wrong || "已上传"; },
    };
  };
  const send = (form, data, headers, step) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action")); // a field could be called action
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && step(event.loaded / event.total));
    request.addEventListener("loadend", () => resolve(request));
    request.send(data);
  });
  const together = async (form, list) => {
    const files = all("input[type=file]", form).flatMap((input) => [...input.files]);
    const line = row(list, files.length === 1 ? files[0].name : `${files.length} 个文件`, size(files.reduce((sum, file) => sum + file.size, 0)));
    const answer = await send(form, new FormData(form), {}, line.step);
    if (answer.status >= 200 && answer.status < 400) {
      // The answer was already read here, and with it the message that is told once: handed on to the page that is opened.
      const flash = new DOMParser().parseFromString(answer.responseText, "text/html").querySelector(".flash");
      if (flash) document.cookie = `biaogan_flash=${encodeURIComponent(flash.textContent.trim())}; path=/; max-age=60; samesite=lax`;
      line.end("");
      location.assign(answer.responseURL);
      return true;
    }
    line.end(messageOf(answer.status, answer.responseText));
    return false;
  };
  const oneByOne = async (form, list) => {
    const input = form.querySelector("input[type=file]");
    const waiting = [...input.files].map((file) => [file, row(list, file.webkitRelativePath || file.name, size(file.size))]);
    let failed = 0;
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [file, line] = next;
        const data = new FormData(form);
        data.delete(input.name);
        data.append(input.name, file, file.name);
        const answer = await send(form, data, { "X-Upload": "each" }, line.step);
        const fine = answer.status >= 200 && answer.status < 400;
        failed += fine ? 0 : 1;
        line.end(fine ? "" : messageOf(answer.status, answer.responseText));
      }
    };
    await Promise.all([work(), work(), work()]);
    if (!failed) location.assign(form.dataset.then || location.href);
    return !failed;
  };
  for (const form of all("form[data-upload]")) {
    const list = form.querySelector(".drop-files");
    form.addEventListener("submit", async (event) => {
      if (!list || !all("input[type=file]", form).some((input) => input.files.length)) return;
      event.preventDefault();
      if (form.dataset.busy) return;
      form.dataset.busy = "1";
      list.textContent = "";
      const done = await (form.dataset.upload === "each" ? oneByOne : together)(form, list);
      if (!done) delete form.dataset.busy;
    });
  }
  for (const box of all("[data-drop]")) {
    const input = box.querySelector("input[type=file]");
    const over = (event) => { event.preventDefault(); box.classList.add("over"); };
    const out = () => box.classList.remove("over");
    box.addEventListener("dragover", over);
    box.addEventListener("dragleave", out);
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      out();
      const files = [...event.dataTransfer.files];
      const taken = new DataTransfer();
      for (const file of input.multiple ? files : files.slice(0, 1)) taken.items.add(file);
      input.files = taken.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    input.addEventListener("change", () => {
      const list = box.querySelector(".drop-files");
      list.textContent = "";
      list.hidden = true;
      if (input.files.length > 1) row(list, `已选 ${input.files.length} 个文件`, size([...input.files].reduce((sum, file) => sum + file.size, 0)));
    });
  }

  // --- Live parts: <div data-poll="/drafts/7/progress" data-every="1500">. The server answers with the element anew, and without data-poll
  // when nothing more will change; or with JSON: its values go into [data-value="key"] inside, and {"done": true} ends it. At the end the
  // page is read again where the element has data-then="reload", or another one opened where it has data-then="/…".
  const watch = (element) => {
    let wait = Number(element.dataset.every) || 1500;
    const ended = () => {
      const then = element.dataset.then;
      if (then === "reload") location.reload();
      else if (then) location.assign(then);
    };
    const fill = (told) => {
      for (const place of all("[data-value]", element)) {
        const value = told[place.dataset.value];
        if (value === undefined || value === null) continue;
        if (place.tagName === "PROGRESS") place.value = value;
        else place.textContent = value;
      }
      return told.done ? ended() : later();
    };
    const swap = (text) => {
      const anew = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
      if (!anew) return later();
      anew.dataset.then = anew.dataset.then || element.dataset.then || "";
      if (anew.outerHTML !== element.outerHTML && !element.contains(document.activeElement)) {
        element.replaceWith(anew);
        element = anew;
        bind(element);
      }
      return anew.dataset.poll ? later() : ended();
    };
    const ask = async () => {
      if (document.hidden) return later();
      try {
        const answer = await fetch(element.dataset.poll, { credentials: "same-origin", headers: { "X-Poll": "1" } });
        if (answer.redirected || answer.status === 401 || answer.status === 403 || answer.status === 404) return undefined;
        if (!answer.ok) throw new Error(String(answer.status));
        wait = Number(element.dataset.every) || 1500;
        const json = (answer.headers.get("content-type") || "").includes("json");
        return json ? fill(await answer.json()) : swap(await answer.text());
      } catch (error) {
        wait = Math.min(wait * 2, 30000);
        return later();
      }
    };
    const later = () => { setTimeout(ask, wait); };
    later();
  };

  // --- Saving by itself: <form data-autosave="/reviews/7/save" data-revision="3">, told in its [data-saved]. POST with If-Match and the form's
  // fields; the answer is {"revision": 4}; 409 or 412: somebody else saved in between.
  const autosave = (form) => {
    const told = form.querySelector("[data-saved]");
    let timer = 0;
    let sent = "";
    const tell = (words, kind) => { if (told) { told.textContent = words; told.className = `saved ${kind}`; } };
    const content = () => { // what was written: the revision changes with every saving
      const data = new FormData(form);
      data.delete("revision");
      return new URLSearchParams(data).toString();
    };
    const save = async (leaving) => {
      clearTimeout(timer);
      timer = 0;
      const body = content();
      if (form.dataset.stopped || body === sent) return;
      try {
        const answer = await fetch(form.dataset.autosave, {
          method: "POST", body: new FormData(form), credentials: "same-origin", keepalive: leaving === true,
          headers: { "If-Match": `"${form.dataset.revision}"`, Accept: "application/json", "X-CSRF-Token": (form.elements.csrf || {}).value || "" },
        });
        if (answer.status === 409 || answer.status === 412) {
          form.dataset.stopped = "1";
          return tell("冲突：别处已保存过新的内容。请复制您的文字，刷新页面后再改。", "conflict");
        }
        if (!answer.ok) throw new Error(messageOf(answer.status, await answer.text()));
        sent = body;
        form.dataset.revision = (await answer.json()).revision;
        if (form.elements.revision) form.elements.revision.value = form.dataset.revision;
        form.dataset.dirty = content() === sent ? "" : "1";
        tell(`已保存 ${clock()}`, "");
        if (form.dataset.dirty) soon();
      } catch (error) {
        tell(`未保存，稍后自动重试。${error instanceof TypeError ? "" : error.message}`, "failed");
        timer = setTimeout(save, 8000);
      }
    };
    const soon = () => { clearTimeout(timer); timer = setTimeout(save, 1200); };
    sent = content();
    form.addEventListener("input", () => { form.dataset.dirty = "1"; tell("正在输入……", ""); soon(); });
    form.addEventListener("submit", () => { clearTimeout(timer); form.dataset.dirty = ""; });
    addEventListener("pagehide", () => timer && save(true));
  };

  // --- Unsaved changes: <form data-guard> asks before the page is left.
  const guard = (form) => {
    form.addEventListener("input", () => { form.dataset.dirty = "1"; });
    form.addEventListener("submit", () => { form.dataset.dirty = ""; });
  };
  addEventListener("beforeunload", (event) => {
    if (!all("form[data-dirty='1']").length) return;
    event.preventDefault();
    event.returnValue = "";
  });

  // --- Tables: <input type=checkbox data-all="pick"> ticks every box named pick of its table (with Shift a range of them); [data-count="pick"]
  // shows how many, and what needs one ([data-needs="pick"]) waits for it.
  const counted = (name) => {
    const boxes = all(`input[type=checkbox][name="${name}"]`).filter((box) => !box.disabled);
    const ticked = boxes.filter((box) => box.checked).length;
    for (const place of all(`[data-count="${name}"]`)) place.textContent = ticked;
    for (const one of all(`[data-needs="${name}"]`)) one.disabled = ticked === 0;
    for (const one of all(`[data-all="${name}"]`)) {
      one.checked = ticked > 0 && ticked === boxes.length;
      one.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    return boxes;
  };
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("input[type=checkbox]");
    if (!box) return;
    const ticked = box.checked; // counting sets it anew
    if (box.dataset.all) for (const one of counted(box.dataset.all)) one.checked = ticked;
    const boxes = counted(box.dataset.all || box.name);
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)];
    if (event.shiftKey && from >= 0 && to >= 0) {
      for (const one of boxes.slice(Math.min(from, to), Math.max(from, to))) one.checked = box.checked;
      counted(box.name);
    }
    last = box.dataset.all ? null : box;
  });

  // --- Keys: rows are [data-row] with a link [data-open]; anything with data-key="p" is clicked (a field: entered) by its letter.
  const rows = () => all("[data-row]").filter(shown);
  const at = (list) => {
    const focused = document.activeElement && document.activeElement.closest("[data-row]");
    return list.findIndex((one) => (focused ? one === focused : one.classList.contains("current")));
  };
  const go = (step) => {
    const list = rows();
    const here = at(list);
    const next = here < 0 ? list[step > 0 ? 0 : list.length - 1] : list[here + step];
    if (!next) return;
    for (const old of all("[data-row].current")) old.classList.remove("current");
    next.classList.add("current");
    (next.querySelector("[data-open]") || next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const press = (element) => {
    for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) element.focus();
    else element.click();
  };
  const help = () => {
    const lines = rows().length ? [["j", "下一行"], ["k", "上一行"], ["o", "打开这一行"], ["x", "勾选这一行"]] : [];
    for (const one of all("[data-key]").filter(shown)) {
      if (lines.some(([key]) => key === one.dataset.key)) continue;
      lines.push([one.dataset.key, one.dataset.keyWords || one.getAttribute("aria-label") || one.textContent.trim()]);
    }
    if (document.querySelector(".report .item")) lines.push(["n", "下一个问题"]);
    lines.push(["?", "打开或关闭本说明"], ["Esc", "关闭"]);
    const box = document.createElement("div");
    box.className = "dialog open";
    box.id = "keys";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-labelledby", "keys-title");
    box.tabIndex = -1;
    box.innerHTML = '<div class="dialog-box"><h2 id="keys-title">键盘操作</h2><a class="dialog-shut" href="#" aria-label="关闭">✕</a><div class="keys"></div></div>';
    for (const [key, words] of lines) {
      const [name, told] = [document.createElement("kbd"), document.createElement("span")];
      name.textContent = key;
      told.textContent = words;
      box.querySelector(".keys").append(name, told);
    }
    document.body.append(box);
    opened(box);
  };

  // --- Boxes over the page (dialog macro): focus goes in, stays in, and back out.
  let before = null;
  const dialog = () => document.querySelector(".dialog.open, .dialog:target");
  const opened = (box) => {
    before = document.querySelector(`a[href="#${box.id}"]`) || document.activeElement; // following the link has moved the focus already
    (box.querySelector("input:not([type=hidden]), select, textarea, button, a:not(.dialog-shut)") || box.querySelector(".dialog-shut")).focus();
  };
  const shut = () => {
    const box = dialog();
    if (!box) return;
    if (box.id === "keys") box.remove();
    else {
      const [x, y] = [scrollX, scrollY];
      location.hash = "";
      history.replaceState(null, "", location.pathname + location.search);
      scrollTo(x, y);
    }
    if (before && before.isConnected) before.focus({ preventScroll: true });
  };
  addEventListener("hashchange", () => dialog() && opened(dialog()));
  if (dialog()) opened(dialog());
  document.addEventListener("click", (event) => {
    const box = dialog();
    if (box && (event.target === box || event.target.closest(".dialog-shut"))) {
      event.preventDefault();
      shut();
    }
    for (const open of all("details.menu[open], details.confirm[open]")) if (!open.contains(event.target)) open.open = false;
    const copy = event.target.closest("[data-copy]"); // <button type=button data-copy="text">
    if (copy) {
      const field = document.createElement("textarea"); // navigator.clipboard is not there on plain http
      field.value = copy.dataset.copy;
      document.body.append(field);
      field.select();
      copy.textContent = document.execCommand("copy") ? "已复制" : "请手工复制";
      field.remove();
    }
  });
  document.addEventListener("keydown", (event) => {
    const box = dialog();
    if (event.key === "Escape") {
      const menus = all("details.menu[open], details.confirm[open]");
      for (const open of menus) { open.open = false; open.querySelector("summary").focus(); }
      if (!menus.length) shut();
      return;
    }
    if (box && event.key === "Tab") {
      const inside = all("a[href], button, input:not([type=hidden]), select, textarea", box).filter(shown);
      const [first, end] = [inside[0], inside[inside.length - 1]];
      const edge = event.shiftKey ? first : end;
      if (document.activeElement === edge || !box.contains(document.activeElement)) { event.preventDefault(); (event.shiftKey ? end : first).focus(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") { event.preventDefault(); return box ? shut() : help(); }
    if (box) return;
    // A key inside a row means the present row.
    const list = rows();
    const keyed = all("[data-key]").filter((one) => one.dataset.key === event.key && shown(one));
    const here = list[at(list)];
    const wanted = keyed.find((one) => here && here.contains(one)) || keyed.find((one) => !one.closest("[data-row]"));
    if (wanted) { event.preventDefault(); press(wanted); }
    else if (list.length && (event.key === "j" || event.key === "k")) { event.preventDefault(); go(event.key === "j" ? 1 : -1); }
    else if (list.length && (event.key === "o" || event.key === "x") && at(list) >= 0) {
      const one = list[at(list)].querySelector(event.key === "o" ? "[data-open]" : "input[type=checkbox]");
      if (one) one.click();
    }
  });

  // --- A form is sent once; select[data-auto] sends its form when it changes.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });
  document.addEventListener("change", (event) => event.target.matches("[data-auto]") && event.target.form.requestSubmit());

  // --- What scrolls sideways can be reached by the keyboard where nothing inside can.
  for (const box of all(".table-wrap, .report .text .table")) {
    if (box.scrollWidth <= box.clientWidth || box.tabIndex === 0 || box.querySelector("a[href], button, input")) continue;
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", (box.querySelector("caption") || { textContent: "表格" }).textContent);
  }

  const bind = (root) => {
    for (const element of all("[data-poll]", root)) watch(element);
    for (const form of all("form[data-autosave]", root)) autosave(form);
    for (const form of all("form[data-guard]", root)) guard(form);
    for (const box of all("[data-all]", root)) counted(box.dataset.all);
  };
  bind(document);
})();
