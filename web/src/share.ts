// An answer to take along: as Markdown, CSV or JSON, and the command that starts the chosen engine like this.

import { engineOf } from './engine.js';
import { type JsonObject, get, isObject } from './json.js';
import { type View, kParts, kTrainParts, unitOf, verdict } from './parts.js';
import { assumed, at, deviceCount, deviceName, figure, modelName } from './request.js';

/** Templates and numbers as the text that they show. */
export const text = (part: unknown): string =>
  typeof part === 'string' ? part : Array.isArray(part) ? part.map(text).join('') : isObject(part) && Array.isArray(part['values']) ? (part['values'] as unknown[]).map(text).join('') : '';

/** A sentence about an answer without the buttons of its numbers. */
export function plainly(view: View, words: (view: View) => unknown[] | undefined): string {
  const { open: _, ...plain } = view;
  return (words(plain) ?? []).map(text).join('').replace(/\s+/g, ' ').trim();
}

export const verdictText = (view: View): string => plainly(view, verdict);

export const kShared = [
  'speed.ttft_s', 'speed.tpot_s', 'speed.tokens_per_s_per_user', 'speed.output_tokens_per_s', 'speed.latency_s', 'capacity.max_context_tokens', 'capacity.max_concurrency',
  'cost.usd_per_hour', 'cost.usd_per_million_output_tokens', 'speed.tokens_per_s', 'speed.step_seconds', 'speed.mfu', 'speed.total_seconds', 'speed.device_hours', 'speed.cost_usd',
];

interface Row {
  name: string;
  path: string;
  value: number;
  unit: string;
  shown: string;
  low?: number;
  high?: number;
}

export function rowsOf(view: View): Row[] {
  const { texts, format, answer } = view;
  const intervals = isObject(answer['intervals']) ? answer['intervals'] : {};
  const where = at(answer, 'memory.per_device') === null || at(answer, 'memory.per_device') === undefined ? 'memory.total' : 'memory.per_device';
  const memory = [...(view.call === 'train' ? kTrainParts : kParts), 'total', 'usable', 'headroom'].map((part) => `${where}.${part}`);
  return [...memory, ...kShared].flatMap((path): Row[] => {
    const value = figure(answer, path);
    if (value === undefined) return [];
    const unit = unitOf(view, path) ?? '';
    const range = intervals[path];
    const name = texts.figures[path] ?? texts.parts[path.split('.').pop()!] ?? path;
    return [{ name, path, value, unit, shown: path === 'speed.mfu' ? format.percent(value) : unit === 'bytes' ? format.giga(value) : format.of(value, unit), ...(Array.isArray(range) ? { low: Number(range[0]), high: Number(range[1]) } : {}) }];
  });
}

const plain = (shown: string): string => shown.replaceAll('\u00a0', ' ');

export function asMarkdown(view: View, link: string): string {
  const { texts, format } = view;
  const rows = rowsOf(view);
  const range = (row: Row): string => (row.low === undefined ? '' : plain(row.unit === 'bytes' ? `${format.giga(row.low)} – ${format.giga(row.high!)}` : format.range(row.low, row.high!, row.unit)));
  const name = modelName(view.description, view.request, view.answer);
  return [`**${name}**: ${plain(verdictText(view))}`, '', `| ${texts.name} | ${texts.value} | 80 % |`, '|---|---:|---:|', ...rows.map((row) => `| ${row.name} | ${plain(row.shown)} | ${range(row)} |`), '', `[Weighbridge](${link})`, ''].join('\n');
}

const cell = (value: string | number): string => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

export function asCsv(view: View): string {
  return ['path,name,value,unit,low,high', ...rowsOf(view).map((row) => [row.path, row.name, row.value, row.unit, row.low ?? '', row.high ?? ''].map(cell).join(','))].join('\n') + '\n';
}

export function asJson(view: View): string {
  const { steps: _, ...answer } = view.answer as JsonObject;
  return JSON.stringify({ request: view.request, answer }, null, 2) + '\n';
}

const word = (value: string): string => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);

/** The command that starts this engine like the request, where it is started by one. */
export function commandOf(view: View): string | undefined {
  const { request, answer } = view;
  const engine = engineOf(request);
  const model = request['model'];
  if (view.call !== 'estimate' || (typeof model !== 'string' && !isObject(model))) return undefined;
  const id = typeof model === 'string' ? String(at(answer, 'model.id') ?? model) : String(get(model, '/name') ?? 'MODEL');
  const option = (name: string): string | number | boolean | undefined => {
    const value = get(request, `/options/${name}`);
    return typeof value === 'object' ? undefined : (value as string | number | boolean | undefined);
  };
  const number = (path: string): number | undefined => {
    const value = get(request, path) ?? assumed(answer, path);
    return typeof value === 'number' ? value : undefined;
  };
  const devices = deviceCount(request, answer);
  const parallel = (axis: string): number | undefined => {
    const value = number(`/parallel/${axis}`) ?? (isObject(assumed(answer, '/parallel')) ? Number(get(assumed(answer, '/parallel'), `/${axis}`)) : undefined);
    return value !== undefined && value > 1 ? value : undefined;
  };
  const weights = typeof request['weights'] === 'string' ? request['weights'] : undefined;
  const kv = request['kv_cache'];
  const context = number('/workload/context_tokens') ?? 0;
  const concurrency = number('/workload/concurrency') ?? 1;
  const flags = (pairs: [flag: string, value: string | number | boolean | undefined][]): string[] => pairs.flatMap(([flag, value]) => (value === undefined || value === false ? [] : value === true ? [flag] : [`${flag} ${word(String(value))}`]));
  const tensor = parallel('tensor');
  switch (engine) {
    case 'vllm': {
      const quantised: Record<string, string> = { fp8: 'fp8', 'bnb-int8': 'bitsandbytes', nf4: 'bitsandbytes', 'awq-int4': 'awq', 'gptq-int4': 'gptq' };
      const dtype: Record<string, string> = { bf16: 'bfloat16', fp16: 'float16', fp32: 'float32' };
      return ['vllm serve ' + word(id), ...flags([
        ['--tensor-parallel-size', tensor ?? (devices > 1 && !parallel('pipeline') && !parallel('data') ? devices : undefined)], ['--pipeline-parallel-size', parallel('pipeline')], ['--data-parallel-size', parallel('data')],
        ['--enable-expert-parallel', parallel('expert') !== undefined], ['--max-model-len', context || undefined], ['--dtype', weights && dtype[weights]], ['--quantization', weights && quantised[weights]],
        ['--kv-cache-dtype', typeof kv === 'string' && kv.startsWith('fp8') ? 'fp8' : undefined], ['--gpu-memory-utilization', option('gpu_memory_utilization')], ['--max-num-seqs', option('max_num_seqs')],
        ['--max-num-batched-tokens', option('max_num_batched_tokens')], ['--block-size', option('block_size')], ['--enforce-eager', option('enforce_eager')],
      ])].join(' \\\n  ');
    }
    case 'sglang':
      return ['python -m sglang.launch_server --model-path ' + word(id), ...flags([
        ['--tp', tensor], ['--pp', parallel('pipeline')], ['--dp', parallel('data')], ['--ep', parallel('expert')], ['--enable-dp-attention', option('enable_dp_attention')], ['--context-length', context || undefined],
        ['--quantization', weights === 'fp8' ? 'fp8' : undefined], ['--mem-fraction-static', option('mem_fraction_static')], ['--chunked-prefill-size', option('chunked_prefill_size')], ['--max-running-requests', option('max_num_seqs')],
      ])].join(' \\\n  ');
    case 'llama.cpp': {
      const file = weights && /^(I?Q|TQ|F|BF|MX)/.test(weights) ? `${id.split('/').pop()}-${weights}.gguf` : `${id.split('/').pop()}.gguf`;
      const types = typeof kv === 'string' ? [kv, kv] : isObject(kv) ? [kv['k'], kv['v']] : [undefined, undefined];
      const type = (v: unknown): string | undefined => (v === 'fp16' ? 'f16' : v === 'fp32' ? 'f32' : typeof v === 'string' ? v : undefined);
      const flash = option('flash_attention');
      return ['llama-server -m ' + word(file), ...flags([
        ['-c', context ? context * concurrency : undefined], ['-np', concurrency > 1 ? concurrency : undefined], ['-ngl', option('n_gpu_layers') ?? 99], ['--n-cpu-moe', option('n_cpu_moe')], ['-ub', option('n_ubatch')], ['-b', option('n_batch')],
        ['-fa', flash === undefined ? undefined : flash ? 'on' : 'off'], ['-ctk', type(types[0])], ['-ctv', type(types[1])], ['-sm', option('split_mode')], ['--kv-unified', option('kv_unified')], ['--no-kv-offload', option('no_kv_offload')], ['--swa-full', option('swa_full')],
      ])].join(' \\\n  ');
    }
    case 'ollama':
      return `OLLAMA_CONTEXT_LENGTH=${context} OLLAMA_NUM_PARALLEL=${concurrency} ollama serve`;
    case 'mlx':
      return `mlx_lm.server --model ${word(id)}`;
    case 'tensorrt-llm':
      return ['trtllm-serve ' + word(id), ...flags([['--tp_size', tensor], ['--pp_size', parallel('pipeline')], ['--ep_size', parallel('expert')], ['--max_seq_len', context || undefined], ['--max_batch_size', option('max_batch_size')], ['--max_num_tokens', option('max_num_batched_tokens')]])].join(' \\\n  ');
    default:
      return undefined;
  }
}

export const setUpName = (view: View): string =>
  [modelName(view.description, view.request, view.answer), typeof view.request['weights'] === 'string' ? view.request['weights'] : '', view.request['device'] === undefined ? '' : `${deviceCount(view.request, view.answer)} × ${deviceName(view.description, view.request['device'], view.texts.customName)}`].filter(Boolean).join(' · ');
