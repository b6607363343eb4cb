// A repository of the Hugging Face Hub as people write it: an id, an address of its page, an address of one of its files.

export interface HubReference {
  id: string;
  revision?: string;
  file?: string;
  /** `org/name:Q4_K_M`, as llama.cpp and Ollama write a choice among files. */
  tag?: string;
}

const kHosts = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com)\//i;
const kNoModels = new Set(['api', 'blog', 'collections', 'datasets', 'docs', 'enterprise', 'inference', 'join', 'learn', 'login', 'models', 'organizations', 'papers', 'posts', 'pricing', 'settings', 'spaces', 'tasks']);
const kName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$/;

export function hubReference(text: string): HubReference | undefined {
  const bare = text.trim();
  const address = kHosts.test(bare);
  if (!address && !/^[^\s/]+\/[^\s/]+$/.test(bare)) return undefined;
  const path = bare.replace(kHosts, '').replace(/[?#].*$/, '').replace(/\/+$/, '');
  const [whole, tag] = path.split(':');
  const [owner, name, kind, revision, ...file] = whole!.split('/');
  if (!owner || !kName.test(owner) || (address && kNoModels.has(owner.toLowerCase()))) return undefined;
  if (name === undefined) return address ? { id: owner } : undefined;
  if (!kName.test(name)) return undefined;
  const reference: HubReference = { id: `${owner}/${name}` };
  if (tag) reference.tag = tag;
  if (/^(blob|raw|resolve|tree)$/.test(kind ?? '') && revision) {
    if (revision !== 'main') reference.revision = decoded(revision);
    if (kind !== 'tree' && file.length > 0) reference.file = file.map(decoded).join('/');
  }
  return reference;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
