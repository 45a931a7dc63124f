"use strict";
// /submissions/export: tells how many reports of the ZIP are made while the browser takes it.
for (const form of document.querySelectorAll("form[data-export]")) {
  form.addEventListener("submit", () => {
    const box = form.querySelector("[data-told]");
    const [words, bar] = [box.querySelector("p"), box.querySelector("progress")];
    let field = form.elements.key;
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "key";
      form.append(field);
    }
    field.value = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const key = field.value;
    let silent = 0;
    box.hidden = false;
    words.textContent = "正在准备……";
    const ask = async () => {
      try {
        const told = await (await fetch(`/submissions/export/progress?key=${key}`, { credentials: "same-origin" })).json();
        silent = told.of ? 0 : silent + 1;
        if (told.of) {
          bar.max = told.of;
          bar.value = told.done;
          words.textContent = told.done < told.of ? `已生成 ${told.done} / ${told.of} 份` : `${told.of} 份已全部生成，请在浏览器的下载列表中查看。`;
        }
        if (key === field.value && silent < 20 && !(told.of && told.done >= told.of)) setTimeout(ask, 1000);
        else if (!told.of) words.textContent = "";
      } catch (error) {
        setTimeout(ask, 5000);
      }
    };
    setTimeout(ask, 600);
  });
}
