// Totals that others published, by catalogue id, with their source; made from core/data/models by vite.config.ts.
declare module 'virtual:published' {
  const published: Record<string, [total: number, source: string] | undefined>;
  export default published;
}
