import {
  NOT_FOUND,
  type Answer,
  type Api,
  type Call,
  type StoredCheck,
  type StoredStatus,
} from './server-state.test-support.ts';

/** The local GitHub's answers about check runs, and about the statuses of commits. */

type SentCheck = Omit<Partial<StoredCheck>, 'output'> & { readonly output?: Partial<StoredCheck['output']> };

/** @returns undefined if the call is not about checks */
export function answerCheck(api: Api, { url, body }: Call): Answer | undefined {
  const [, ref] = /\/commits\/([^/]+)\/check-runs$/.exec(url.pathname) ?? [];
  if (ref !== undefined) return list(api, url, ref);
  if (!url.pathname.includes('/check-runs')) return undefined;
  const [, id] = /\/check-runs\/(\d+)$/.exec(url.pathname) ?? [];
  const sent = body as SentCheck;
  return id === undefined ? create(api, url, sent) : update(api, url, Number(id), sent);
}

function list(api: Api, url: URL, ref: string): Answer {
  const found = api.state.checks.filter(
    ({ head_sha, name }) => head_sha === ref && name === url.searchParams.get('check_name'),
  );
  return {
    status: 200,
    body: { total_count: found.length, check_runs: found.map((check) => checkBody(api, url, check)) },
  };
}

function create(api: Api, url: URL, sent: SentCheck): Answer {
  const { checks } = api.state;
  const made: StoredCheck = {
    id: 5000 + checks.length,
    head_sha: sent.head_sha ?? '',
    name: sent.name ?? '',
    conclusion: sent.conclusion ?? null,
    external_id: sent.external_id ?? null,
    output: outputOf(sent),
  };
  checks.push(made);
  return { status: 201, body: checkBody(api, url, made) };
}

function update(api: Api, url: URL, id: number, sent: SentCheck): Answer {
  const check = api.state.checks.find((one) => one.id === id);
  if (check === undefined) return NOT_FOUND;
  check.name = sent.name ?? check.name;
  if (sent.conclusion !== undefined) check.conclusion = sent.conclusion;
  if (sent.external_id !== undefined) check.external_id = sent.external_id;
  check.output = outputOf(sent);
  return { status: 200, body: checkBody(api, url, check) };
}

const outputOf = ({ output }: SentCheck): StoredCheck['output'] => ({
  title: null,
  summary: null,
  text: null,
  annotations: [],
  ...output,
});

function checkBody(
  { description }: Api,
  url: URL,
  { output: { annotations, ...output }, ...check }: StoredCheck,
): unknown {
  const list = new URL(`/repos/owner/name/commits/${check.head_sha}/check-runs`, url);
  const sample = description.sampleEntry('GET', list, 200) as Readonly<Record<string, object>>;
  return {
    ...sample,
    ...check,
    status: 'completed',
    html_url: `https://github.com/owner/name/runs/${check.id}`,
    output: { ...sample['output'], ...output, annotations_count: annotations.length },
  };
}

/** @returns undefined if the call is not about statuses */
export function answerStatuses({ state, description }: Api, { method, url, body }: Call): Answer | undefined {
  const [, listed] = /\/commits\/([^/]+)\/statuses$/.exec(url.pathname) ?? [];
  if (listed !== undefined) {
    const sample = description.sampleEntry('GET', url, 200);
    const found = state.statuses.filter(({ sha }) => sha === listed).reverse();
    return { status: 200, body: found.map((status) => ({ ...sample, ...status })) };
  }
  const [, sha] = /\/statuses\/([^/]+)$/.exec(url.pathname) ?? [];
  if (sha === undefined) return undefined;
  const made = { sha, ...(body as Omit<StoredStatus, 'sha'>) };
  state.statuses.push(made);
  return { status: 201, body: { ...description.sampleAnswer(method, url, 201), ...made } };
}
