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

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // On a phone the navigation scrolls; the page one is on comes into sight.
  document
    .querySelector(".nav-main [aria-current]")
    ?.scrollIntoView({ inline: "center", block: "nearest" });

  for (const here of document.querySelectorAll(".plan-tabs [aria-current]")) {
    // Sideways only: the page itself stays at its top.
    const list = here.closest(".tabs");
    const at = here.getBoundingClientRect();
    list.scrollLeft += at.left + at.width / 2 - list.getBoundingClientRect().left - list.clientWidth / 2;
  }

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
      const address = `${form.action.split(/[?#]/)[0]}?${new URLSearchParams(asked)}`;
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
    // Other keys press what carries them: in the row that has the focus, or once for the page.
    const keyed = (key) => {
      const at = `[data-key="${CSS.escape(key)}"]`;
      const row = document.activeElement.closest("[data-row]");
      const found = row?.querySelector(at) ?? document.querySelector(at);
      return found?.closest("[data-row]") === (row ?? null) || !found?.closest("[data-row]")
        ? found
        : null;
    };
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest(
        "input:not([type=checkbox], [type=radio]), select, textarea, dialog",
      );
      if (!on.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
      const element = act ? null : keyed(event.key);
      if (!act && !element) return;
      event.preventDefault();
      if (act) act();
      else element.click();
    });
  }

  // A change is sent and its answer shown in place: only the parts that a change can touch are
  // exchanged, so that scroll, focus, filters and whatever is half typed stay as they are.
  const partsOf = (page) => [...page.querySelectorAll("[data-part]")];
  const keep = (element) => {
    const row = element?.closest("[data-row]");
    if (!row) return element?.dataset.key ? { key: element.dataset.key } : null;
    const rows = [...document.querySelectorAll("[data-row]")];
    return { name: row.dataset.row, at: rows.indexOf(row), key: element.dataset.key };
  };
  // The same learner's, even when another coach works on another skill.
  const rowOf = (kept) => {
    const rows = kept?.name ? [...document.querySelectorAll("[data-row]")] : [];
    const [learner] = kept?.name?.split(".") ?? [];
    return (
      rows.find((row) => row.dataset.row === kept.name) ??
      rows.find((row) => row.dataset.row.startsWith(`${learner}.`))
    );
  };
  const refocus = (kept) => {
    if (!kept) return;
    if (!kept.name) {
      document.querySelector(`[data-key="${kept.key}"]`)?.focus({ preventScroll: true });
      return;
    }
    const rows = [...document.querySelectorAll("[data-row]")];
    const row = rowOf(kept) ?? rows[kept.at] ?? rows.at(-1);
    const again = kept.key && row?.querySelector(`[data-key="${kept.key}"]`);
    (again || row?.querySelector("a, button, summary"))?.focus({ preventScroll: true });
  };
  const exchange = (text, kept) => {
    const top = rowOf(kept)?.getBoundingClientRect().top;
    // The browser's own way to hold the page still would come on top of ours.
    root.style.overflowAnchor = "none";
    setTimeout(() => (root.style.overflowAnchor = ""), 300);
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const answers = new Map(partsOf(fresh).map((part) => [part.dataset.part, part]));
    for (const part of partsOf(document)) {
      const answer = answers.get(part.dataset.part);
      // What was opened stays open.
      const open = [...part.querySelectorAll("details[open] > summary")].map((s) => s.textContent);
      part.replaceChildren(...(answer?.childNodes ?? []));
      for (const summary of part.querySelectorAll("details > summary")) {
        if (open.includes(summary.textContent)) summary.parentElement.open = true;
      }
    }
    wireSliders(document);
    const flash = document.querySelector("[data-part=flash]");
    flash?.classList.remove("flash-float");
    // However long the words above it are now, the row that was pressed stays where it was; also
    // when a message leaves the page to float above it.
    const row = rowOf(kept);
    for (let turn = 0; turn < 2; turn += 1) {
      if (row) scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
      if (flash?.childElementCount && flash.getBoundingClientRect().top < 0) {
        flash.classList.add("flash-float");
      }
    }
  };
  let panel = null;
  let changing = false;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-in-place]") || event.defaultPrevented) return;
    event.preventDefault();
    if (changing) return;
    changing = true;
    const button = event.submitter;
    const inside = panel?.open && panel.contains(form);
    const focus = document.activeElement;
    const kept = inside ? panel.kept : keep(focus.closest("[data-row]") ? focus : button);
    const told = new FormData(form, button);
    const place = location.pathname;
    for (const part of partsOf(document)) part.classList.add("is-loading");
    try {
      const answer = await fetch(form.action, { method: "POST", body: told });
      const at = new URL(answer.url);
      const text = await answer.text();
      if (answer.ok && inside && text.includes("data-panel-body") && at.pathname !== place) {
        fill(text);
      } else if (!answer.ok || at.pathname !== place) {
        location.assign(answer.redirected ? answer.url : location.href);
        return;
      } else {
        panel?.close();
        exchange(text, kept);
        refocus(kept);
      }
    } catch {
      location.reload();
      return;
    } finally {
      changing = false;
      delete form.dataset.sent;
      for (const part of partsOf(document)) part.classList.remove("is-loading");
    }
  });

  // Links and questions that open a page in a panel beside the list they stand in.
  const fill = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const body = page.querySelector("[data-panel-body]");
    if (!body) return false;
    panel.querySelector("h2").textContent = body.dataset.panelTitle;
    panel.querySelector(".panel-body").replaceChildren(...body.childNodes);
    panel.classList.toggle("panel-narrow", !panel.querySelector("table"));
    panel.scrollTop = 0;
    return true;
  };
  const openPanel = async (address, from) => {
    // A form that a ticked box has sent has no button: it was asked for where the focus is.
    from ??= document.activeElement;
    if (!panel) {
      panel = document.createElement("dialog");
      panel.className = "panel";
      panel.setAttribute("aria-labelledby", "panel-title");
      panel.innerHTML =
        '<div class="panel-head"><h2 id="panel-title" tabindex="-1"></h2><form method="dialog">' +
        '<button class="btn btn-quiet btn-small" type="submit"></button></form></div>' +
        '<div class="panel-body"></div>';
      // The page has the word in its language.
      panel.querySelector("button").textContent = document.body.dataset.close;
      document.body.append(panel);
      panel.addEventListener("click", (event) => {
        if (event.target === panel) panel.close();
      });
    }
    if (!panel.open) panel.kept = keep(from);
    // Until the answer is there, where it was asked for shows that it is on its way.
    const place = panel.open ? panel : (from.closest("[data-row]") ?? from);
    place.classList.add("is-loading");
    try {
      const answer = await fetch(address);
      if (!answer.ok || !fill(await answer.text())) throw new Error(answer.statusText);
      if (!panel.open) panel.showModal();
      (panel.querySelector("[data-panel-focus]") ?? panel.querySelector("h2")).focus();
    } catch {
      location.assign(address);
    } finally {
      place.classList.remove("is-loading");
    }
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-panel-close]") && panel?.open) {
      event.preventDefault();
      panel.close();
      return;
    }
    const link = event.target.closest("a[data-panel-link]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    openPanel(link.href, link);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-panel-form]")) return;
    event.preventDefault();
    openPanel(`${form.action.split(/[?#]/)[0]}?${new URLSearchParams(new FormData(form))}`, event.submitter);
  });
  // At most two rows are chosen for a swap; the second one asks for its price at once.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (event.target.name !== "pair" || !form?.matches("[data-panel-form]")) return;
    const chosen = [...form.elements.pair].filter((box) => box.checked);
    for (const box of chosen.slice(0, -2)) if (box !== event.target) box.checked = false;
    if (event.target.checked && chosen.length === 2) form.requestSubmit();
  });

  // A slider beside a number: either moves the other.
  function wireSliders(root) {
    for (const slider of root.querySelectorAll("input[data-slider]")) {
      const number = document.getElementById(slider.dataset.slider);
      if (!slider.hidden || !number || number.disabled || slider.closest(":disabled")) continue;
      slider.hidden = false;
      slider.addEventListener("input", () => (number.value = slider.value));
      number.addEventListener("input", () => (slider.value = number.value));
    }
  }
  wireSliders(document);

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

  // How long a launch can still be taken back; the server says so again, and decides.
  for (const left of document.querySelectorAll("[data-left]")) {
    const end = Date.now() + 1000 * Number(left.dataset.left);
    const tell = () => {
      const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
      left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}\u00a0min`;
      if (seconds === 0) {
        clearInterval(ticking);
        left.closest("section").querySelector("button").disabled = true;
      }
    };
    const ticking = setInterval(tell, 1000);
    tell();
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
