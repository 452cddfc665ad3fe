// Runs before the first paint, so that a chosen theme or language never flashes past the other one.
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const root = document.documentElement;
  const theme = kept("filmgate.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const language = kept("filmgate.language") ?? navigator.language;
  root.lang = language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
})();
