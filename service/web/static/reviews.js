"use strict";
// The reading view: printing; and the tabs keep what was typed, since the form saves itself before the page is left (app.js).
(() => {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
})();
