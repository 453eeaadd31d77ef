// Applies the theme that the reader chose, before anything is painted.
try {
  const theme = localStorage.getItem("autogrow-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme holds.
}
