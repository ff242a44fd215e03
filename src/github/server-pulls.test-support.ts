import { NOT_FOUND, type Answer, type Api, type Call, type StoredPull } from './server-state.test-support.ts';

/** The local GitHub's answers about pull requests. */

/** @returns undefined if the call is not about pull requests */
export function answerPull({ state: { pulls }, description }: Api, { url }: Call): Answer | undefined {
  const [, number] = /\/pulls(?:\/(\d+))?$/.exec(url.pathname) ?? [];
  if (!url.pathname.includes('/pulls')) return undefined;
  if (number === undefined) {
    const sample = description.sampleEntry('GET', url, 200) as Readonly<Record<string, object>>;
    const found = pulls.filter(
      (pull) =>
        pull.state === url.searchParams.get('state') &&
        `${(pull.headRepository ?? '').split('/')[0] ?? ''}:${pull.headBranch}` ===
          url.searchParams.get('head'),
    );
    return { status: 200, body: found.map((pull) => pullBody(sample, pull)) };
  }
  const pull = pulls.find((one) => one.number === Number(number));
  if (pull === undefined) return NOT_FOUND;
  const sample = description.sampleAnswer('GET', url, 200) as Readonly<Record<string, object>>;
  return { status: 200, body: pullBody(sample, pull) };
}

function pullBody(sample: Readonly<Record<string, object>>, pull: StoredPull): unknown {
  const { base, head } = sample as Record<'base' | 'head', { readonly repo: object }>;
  return {
    ...sample,
    ...{ number: pull.number, state: pull.state },
    base: { ...base, ref: pull.base, repo: { ...base.repo, full_name: 'owner/name' } },
    head: {
      ...head,
      ...{ ref: pull.headBranch, sha: pull.headSha },
      repo: pull.headRepository === null ? null : { ...base.repo, full_name: pull.headRepository },
    },
  };
}
