// Loaded before the page is painted: what somebody chose with the toggle wins over
// the operating system. Without a choice nothing is set and CSS follows the system.
(() => {
  try {
    const chosen = localStorage.getItem("lanemate-theme");
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.bsTheme = chosen || (dark ? "dark" : "light");
  } catch {
    // Storage may be switched off; the system's preference is good enough.
  }
})();
