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

  // Where a page can show its answer in place, only the answer changes: focus, scroll and a half
  // typed name stay as they are. The address always says what is shown.
  for (const form of document.querySelectorAll("form[data-live]")) {
    let waiting = 0;
    let asking = null;
    const ask = async () => {
      clearTimeout(waiting);
      const asked = [...new FormData(form)].filter(([, value]) => value !== "");
      const address = `${form.action.split("?")[0]}?${new URLSearchParams(asked)}`;
      asking?.abort();
      asking = new AbortController();
      const parts = document.querySelectorAll("[data-live-part]");
      for (const part of parts) part.classList.add("is-loading");
      try {
        const answer = await fetch(address, { signal: asking.signal });
        if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of parts) {
          const fresh = page.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
          // A shorter answer must not pull the page from under the reader.
          part.style.minHeight = `${Math.min(part.offsetHeight, innerHeight)}px`;
          part.replaceChildren(...fresh.childNodes);
          part.classList.remove("is-loading");
        }
        history.replaceState(null, "", address);
      } catch (failure) {
        if (failure.name !== "AbortError") location.assign(address);
      }
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, event.target.type === "search" ? 250 : 0);
    });
  }

  // Single keys on long lists; one checkbox turns them all off.
  const help = document.querySelector("[data-keys]");
  if (help) {
    const on = help.querySelector("[data-keys-on]");
    try {
      on.checked = localStorage.getItem("lanemate-keys") !== "off";
    } catch {
      // Then they are on, for this page.
    }
    on.addEventListener("change", () => {
      try {
        localStorage.setItem("lanemate-keys", on.checked ? "on" : "off");
      } catch {
        // Then the choice lasts for this page.
      }
    });
    const open = document.querySelector("[data-keys-open]");
    open.hidden = false;
    open.addEventListener("click", () => help.showModal());
    const step = (by) => {
      const rows = [...document.querySelectorAll("[data-row]")];
      const here = rows.indexOf(document.activeElement.closest("[data-row]"));
      const next = rows[here < 0 ? 0 : here + by];
      next?.querySelector("a, summary, [tabindex]")?.focus();
      next?.scrollIntoView({ block: "nearest" });
    };
    const acts = {
      j: () => step(1),
      k: () => step(-1),
      w: () => document.activeElement.closest("[data-row]")?.querySelector("summary")?.click(),
      "/": () => document.querySelector("[data-search]").focus(),
      "?": () => help.showModal(),
    };
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea, dialog");
      if (!on.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!Object.hasOwn(acts, event.key)) return;
      event.preventDefault();
      acts[event.key]();
    });
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
