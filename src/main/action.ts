export async function runAction(): Promise<void> {
  const { getOctokit } = await import('@actions/github');
  const { DefaultArtifactClient } = await import('@actions/artifact');
  console.log(getOctokit, DefaultArtifactClient);
}
