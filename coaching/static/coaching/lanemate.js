// Comforts only: every page can be read and worked without this file.
(() => {
  const root = document.documentElement;

  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      root.dataset.bsTheme = next;
      try {
        localStorage.setItem("lanemate-theme", next);
      } catch {
        // Then the choice lasts for this page.
      }
    });
  }

  // On a phone the navigation scrolls; the page one is on comes into sight.
  document
    .querySelector(".nav-main [aria-current]")
    ?.scrollIntoView({ inline: "center", block: "nearest" });

  // Menus close on Escape and when the reader goes elsewhere.
  for (const menu of document.querySelectorAll("details[data-menu]")) {
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  }

  // A second click on a button that is already at work sends nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });

  // Filters apply as soon as they are chosen.
  for (const field of document.querySelectorAll("[data-submit-on-change] select")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }

  // Files can be dropped anywhere in the zone.
  for (const zone of document.querySelectorAll("[data-dropzone]")) {
    const input = zone.querySelector("input[type=file]");
    const name = zone.querySelector("[data-dropzone-name]");
    const show = () => {
      if (input.files.length) name.textContent = input.files[0].name;
    };
    input.addEventListener("change", show);
    for (const kind of ["dragenter", "dragover"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add("is-over");
      });
    }
    for (const kind of ["dragleave", "drop"]) {
      zone.addEventListener(kind, () => zone.classList.remove("is-over"));
    }
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      show();
    });
  }

  // A page that waits for a worker looks again, without the flicker of a full reload.
  const waiting = document.querySelector("[data-waiting]");
  if (waiting) {
    const look = async () => {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-waiting]");
        if (!answer.ok || !fresh) {
          location.reload();
          return;
        }
        const part = waiting.querySelector("[data-waiting-part]");
        part.replaceChildren(...fresh.querySelector("[data-waiting-part]").childNodes);
      } catch {
        // The network may be back in two seconds.
      }
      setTimeout(look, 2000);
    };
    setTimeout(look, 2000);
  }

  // The preview of a letter is as tall as the letter.
  for (const frame of document.querySelectorAll("iframe[data-fit]")) {
    const fit = () => {
      const inside = frame.contentDocument;
      if (inside?.body) {
        frame.style.height = `${Math.ceil(inside.body.getBoundingClientRect().height)}px`;
      }
    };
    frame.addEventListener("load", fit);
    fit();
  }
})();
