// Totals that others published, by catalogue id, with their source; made from core/data/models by vite.config.ts.
declare module 'virtual:published' {
  const published: Record<string, [total: number, source: string] | undefined>;
  export default published;
}
// Published measurements, from tests/measurements.
declare module 'virtual:measurements' {
  const measurements: { id: string; call: 'estimate' | 'train'; request: import('./json.js').JsonObject; path: string; value: number; source: string }[];
  export default measurements;
}
