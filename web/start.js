// Before anything is painted: the language and theme that this reader chose, and whether the answer that stands in the page is
// the one that was asked for. Another one stays hidden until it has been computed.
(() => {
  const root = document.documentElement;
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem('weighbridge')) ?? {};
  } catch {
    // a browser that keeps nothing
  }
  const language = kept.language ?? (/^zh\b/i.test(navigator.languages.find((l) => /^(zh|en)\b/i.test(l)) ?? '') ? 'zh' : 'en');
  if (language === 'zh') root.lang = 'zh-CN';
  if (kept.theme === 'light' || kept.theme === 'dark') root.dataset.theme = kept.theme;
  root.dataset.start = location.hash.length > 1 || language !== 'en' || kept.unit === 'GB' ? 'other' : 'still';
})();
