// English texts of what is loaded later: files, the Hub, and all views but the first.

export const enMore = {
  separator: ', ',

  // files
  pasteFailed: 'This text is no JSON object: {reason}',
  fileTooLarge: 'The file {name} is too large for the page ({size}).',
  noModelFile: '{name} cannot be read as a model. Drop its config.json, GGUF file, safetensors file or index.',
  emptyFolder: 'The folder {name} holds no config.json, GGUF or safetensors file.',
  fileGone: 'The file {name} could not be read. Is it still there?',

  // the Hub
  fetching: 'Fetching {file} of {id}…',
  chooseFile: 'This repository has several GGUF files: choose one.',
  hub: {
    offline: 'You are offline, so {id} cannot be fetched. Everything else works; a config.json or a model file can be dropped here.',
    gated: 'Access to {id} is restricted: its owners ask for consent first. Accept their terms on {host}, download config.json there and drop it here.',
    closed: '{host} does not show {id} without a login: it is private, restricted or does not exist. Check the spelling, or download its config.json and drop it here.',
    missing: '{host} has no repository {id}, or it is private. Check the spelling.',
    revision: '{id} has no revision {revision}.',
    noModel: '{id} holds no language model that can be weighed: it has neither config.json nor GGUF files (its task: {task}).',
    noFile: '{id} has no file {file}.',
    timeout: '{host} did not answer in time. Try again, or drop the model’s config.json here.',
    unreachable: '{host} cannot be reached from here. Check the connection, or drop the model’s config.json here.',
    blocked: 'The rules of this site do not let the page ask {host}. Download the model’s config.json and drop it here.',
    failed: '{host} answered with an error ({status}). Try again later, or drop the model’s config.json here.',
    unusable: '{id} is there, but it cannot be weighed. Its type is {type}. {reason}',
    tooLarge: 'The file {file} of {id} is too large for the page.',
  } as Record<string, string>,

  // lists
  find: 'Find',
  all: 'all',
  rowsShown: '{count} of {all}',
  maker: 'Maker',
  family: 'Family',
  release: 'Released',
  counted: 'Counted here',
  published: 'Published',
  sameTotal: 'the same to the last digit',
  active: 'Active per token',
  weightBytes: 'Stored weights',
  kvPerToken: 'KV per token',
  sourceModel: 'model',
  sourceTotal: 'total',
  modelsLead: '{count} models. Their parameters are counted from the shapes in their configurations; for {published} of them somebody published an exact total, and {same} of these agree to the last digit. A name opens the model.',
  differences: 'Where the totals differ',
  offBy: 'differs by {share}',
  devicesLead: '{count} devices. Memory is what the driver reports, FLOP/s are dense, links are one way. A name opens the device.',
  bandwidth: 'Bandwidth',
  link: 'Link',
  price: 'Rent',
  sources: 'Sources',
  deviceClass: 'Class',
  classes: { datacenter: 'data centre', consumer: 'consumer', workstation: 'workstation', apple: 'Apple', npu: 'NPU', cpu: 'CPU', tpu: 'TPU', edge: 'edge' } as Record<string, string>,

  // compare, card, formulas
  differs: 'differs',
  compareLead: 'Two to four set-ups side by side; what differs is marked. The link holds them all.',
  addPresent: 'Add what stands in the form: {name}',
  openSetUp: 'Open',
  removeSetUp: 'Remove',
  runsOn: 'What runs on {device}',
  cardLead: 'Each model of the catalogue in the best format that fits, from the one it was published in down to two bits: how much has to be downloaded, what room is left, and how fast one reader sees it write. A name opens the model.',
  guess: 'Guess my card from this browser',
  noGuess: 'This browser calls its graphics “{name}”, which is no device of the catalogue. Choose it above.',
  bestFormat: 'Best format',
  download: 'Download',
  weighing: 'Weighing… {count} of {all}',
  fitOf: '{count} of {all} models fit.',
  formulasLead: 'All {count} formulas, with their kind and source. Where the set-up in the form uses one, its value there stands beside it.',
  hereIs: 'in the present set-up {value}',

  // training
  train: {
    how: 'What is trained, and how',
    batch: 'Batch and data',
    saving: 'Saving memory',
    split: 'Split over devices, and more',
    atPeak: 'At the peak',
    timeline: 'Memory over one step',
    moment: 'Moment',
    peak: 'peak',
    moments: { forward: 'End of forward', loss: 'Loss', backward: 'First of backward', backward_end: 'End of backward', optimizer_step: 'Optimizer step', step: 'Step' } as Record<string, string>,
    speed: 'Speed, time and cost',
    trained: '{count} trained',
    giveDataset: 'With the tokens of the data set this says how many days it takes, and what that costs.',
    articleRanges: 'By the article: the model and 12 to 20 bytes for each trained parameter, {states}; or four to six times the memory of inference, {factor}. The two agree only for weights of four bytes.',
    otherArticle: 'The article’s method gives {total} here: everything at its full size, on one device, with no word on sharding or checkpointing.',
    otherDetailed: 'The detailed method gives {total} here on the fullest device: every state by its precision and sharding, activations layer by layer, at the fullest moment of a step.',
    examples: { qlora: 'QLoRA of an 8B', full: 'Full fine-tuning of a 7B, ZeRO-3', pretrain: 'Pretraining of a 70B' } as Record<string, string>,
  },

  /** Joined to the page's own names once these views are loaded. */
  names: {
    labels: {
      '/method': 'Method', '/optimizer': 'Optimizer', '/precision': 'Precision', '/framework': 'Framework', '/lora/rank': 'LoRA rank', '/lora/targets': 'LoRA targets', '/lora/dora': 'DoRA', '/lora/train_also': 'Trained in full beside',
      '/base_weights': 'Base weights', '/base_weights/bits_per_weight': 'Bits of the base', '/double_quantization': 'Double quantisation', '/sequence_tokens': 'Sequence', '/micro_batch': 'Micro-batch', '/gradient_accumulation': 'Accumulation',
      '/global_batch': 'Global batch', '/dataset_tokens': 'Data set in tokens', '/activation_checkpointing': 'Checkpointing', '/activation_checkpointing/every': 'Every so many layers', '/activation_offload': 'Offload activations',
      '/optimizer_in_backward': 'Optimizer in backward', '/compile': 'Compile', '/attention': 'Attention', '/loss': 'Loss', '/parallel/zero_stage': 'ZeRO stage', '/parallel/offload': 'Offload', '/parallel/sequence': 'Sequence parallel',
      '/parallel/virtual_pipeline': 'Chunks per stage', '/parallel/context': 'Context parallel', '/parallel/shard_group': 'Sharding group',
    } as Record<string, string>,
    fields: {} as Record<string, string>,
    figures: {
      'model.trainable_parameters': 'Trained', 'speed.tokens_per_s': 'Tokens per second', 'speed.tokens_per_s_per_device': 'Per device', 'speed.step_seconds': 'One step', 'speed.mfu': 'Of the peak', 'speed.tflops_per_device': 'Rate per device',
      'speed.flops_per_token': 'FLOP per token', 'speed.total_seconds': 'The whole run', 'speed.device_hours': 'Device hours', 'speed.cost_usd': 'Cost', 'speed.joules': 'Energy', 'memory.host.total': 'In system memory',
    } as Record<string, string>,
    short_: { 'speed.mfu': 'MFU' } as Record<string, string>,
    parts: { gradients: 'Gradients', optimizer: 'Optimizer', logits: 'Logits and loss' } as Record<string, string>,
    choices: { full: 'full', freeze: 'last layers only', lora: 'LoRA', qlora: 'QLoRA', none: 'none', selective: 'selective', flash: 'flash', eager: 'eager', chunked: 'chunked', fused: 'fused', optimizer: 'optimizer', 'optimizer+parameters': 'optimizer and parameters' } as Record<string, string>,
    groups: { lora: 'LoRA', parallel: 'Split over devices' } as Record<string, string>,
  },
};

export type MoreTexts = typeof enMore;
