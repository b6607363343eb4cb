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
};

export type MoreTexts = typeof enMore;
