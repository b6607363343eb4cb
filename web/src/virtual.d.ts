// Totals that others published, by catalogue id, with their source, why they differ, and the model of the same shapes that they were published for; made from core/data/models by vite.config.ts.
declare module 'virtual:published' {
  const published: Record<string, [total: number, source: string, differs: string, of: string] | undefined>;
  export default published;
}
// Published measurements, from tests/measurements.
declare module 'virtual:measurements' {
  const measurements: { id: string; call: 'estimate' | 'train'; request: import('./json.js').JsonObject; path: string; value: number; source: string }[];
  export default measurements;
}
// How far speeds are off with what they are compared to in the fit or left out of it, from docs/accuracy/speed.json.
declare module 'virtual:left-out' {
  const errors: { kind: string; inputs: 'stated' | 'all'; left_out: 'nothing' | 'device' | 'model' | 'source'; measurements: number; median: number; p90: number; bias: number; inside: number }[];
  export default errors;
}
