// frame.js, for the page around an iframe of embed.html: gives the frame the height that its content asks for.

const kTallest = 8000;

addEventListener('message', (event: MessageEvent<{ type?: unknown; height?: unknown } | null>) => {
  const height = event.data?.type === 'weighbridge:height' ? Number(event.data.height) : NaN;
  if (!(height > 0 && height <= kTallest)) return;
  for (const frame of document.querySelectorAll('iframe')) if (frame.contentWindow === event.source) frame.style.height = `${height}px`;
});
