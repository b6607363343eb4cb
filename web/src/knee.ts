// The knee of throughput against latency: where more load begins to cost readers more than it brings the deployment. It is the point whose
// throughput over latency is largest, which Kleinrock calls power ("Power and deterministic rules of thumb for probabilistic problems in
// computer communications", ICC 1979): for a single server it lies where on the mean one request is under way.

/** The place of the knee among the points of a sweep over concurrency; undefined where it is an end, so that the curve does not show one. */
export function kneeOf(throughput: ArrayLike<number>, latency: ArrayLike<number>): number | undefined {
  let best: number | undefined;
  let most = 0;
  let first: number | undefined;
  let last: number | undefined;
  for (let i = 0; i < throughput.length; i++) {
    const power = throughput[i]! / latency[i]!;
    if (!Number.isFinite(power)) continue;
    first ??= i;
    last = i;
    if (power > most) [most, best] = [power, i];
  }
  return best === first || best === last ? undefined : best;
}
