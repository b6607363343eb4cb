// Instant navigation: the container of the other page takes the place of this one's; the head and its scripts stay.
const show = async (url) => {
  const other = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html");
  const part = '[data-md-component="container"]';
  document.querySelector(part).replaceWith(document.adoptNode(other.querySelector(part)));
  document.title = other.title;
};
for (const link of document.querySelectorAll("nav a")) link.href = new URL(link.getAttribute("href"), location.href).href;    // they stay when the address changes
document.addEventListener("click", (event) => {
  const link = event.target.closest("nav a");
  if (!link) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(link.href);
});
addEventListener("popstate", () => show(location.href));
document.getElementById("theme").addEventListener("click", () => { document.body.dataset.mdColorScheme = document.body.dataset.mdColorScheme === "slate" ? "default" : "slate"; });
