/** Frequent causes of a failed build or run, each with the one line to write in the configuration or to run. */
const CAUSES: readonly (readonly [RegExp, (found: readonly (string | undefined)[]) => string])[] = [
  [
    /exec: "?\/bin\/sh"?: (?:stat \/bin\/sh: )?no such file or directory/,
    () =>
      'This image has no shell: write the step as a list of words (`RUN ["python", "-m", "venv", "/opt/venv"]`), or choose an image that has one (interpreter dhi: `distribution: debian13-dev`).',
  ],
  [
    /\bpip3?: (?:command )?not found|\bNo module named '?pip\b|externally-managed-environment/,
    () =>
      'This Python has no pip of its own: install into a virtual environment (`RUN python -m venv /opt/venv` and `ENV PATH=/opt/venv/bin:$PATH` in the Dockerfile), or leave workload.dockerfile out.',
  ],
  [
    /unrecognized arguments: .*--benchmark-|fixture 'benchmark' not found/,
    () =>
      'pytest-benchmark is not installed: write `install: { packages: [pytest-benchmark] }` below workload, or name the group that has it in workload.install.groups.',
  ],
  [
    /\bNo module named '?([A-Za-z_][\w.]*)/,
    ([, name = '']) =>
      `Python does not find the module ${name}: add its package to the project's dependencies or to workload.install.packages; if the module is the project's own, name its folder as PYTHONPATH in workload.env.`,
  ],
  [
    /lockfile at `uv\.lock` needs to be updated|uv\.lock` is not up[- ]to[- ]date/i,
    () => 'The lock file is out of date: run `uv lock` and commit uv.lock.',
  ],
  [
    /changed significantly since poetry\.lock|poetry\.lock is not up[- ]to[- ]date/i,
    () => 'The lock file is out of date: run `poetry lock` and commit poetry.lock.',
  ],
  [
    /pdm\.lock is out of date|Lock ?file hash doesn't match/i,
    () => 'The lock file is out of date: run `pdm lock` and commit pdm.lock.',
  ],
  [
    /Pipfile\.lock[^\n]{0,40}out[- ]of[- ]date/i,
    () => 'The lock file is out of date: run `pipenv lock` and commit Pipfile.lock.',
  ],
  [
    /requires a different Python: (\S+) not in|resolved to Python (\S+), which is incompatible|Current Python version \((\S+)\) is not allowed/,
    ([, ...versions]) =>
      `The project does not accept Python ${versions.find((one) => one !== undefined) ?? ''}: set variants.*.python to a version that its requires-python has.`,
  ],
  [
    /Cannot find command 'git'|Git executable not found|git: (?:command )?not found/,
    () =>
      'A dependency comes from a Git repository, and the image has no git: name a release of it, or install git in a Dockerfile (workload.dockerfile).',
  ],
  [
    /error: command '\S*(?:gcc|cc|g\+\+|clang)'|Unable to find a compiler|\b(?:gcc|cc|g\+\+): not found|Unknown compiler\(s\)|linker `cc` not found|Cargo, the Rust package manager, is not installed|\b(?:pg|mysql|curl|xml2|xslt)[-_]config\b[^\n]{0,40}(?:not found|no such file)|no wheels? (?:with a matching|for the current platform)|doesn't have a (?:source distribution or )?wheel for the current platform/i,
    () =>
      'A package has no wheel for this interpreter, and the image has no compiler and no libraries to build it: choose another variants.*.python or interpreter (Alpine and free-threaded builds have the fewest wheels), or install them in a Dockerfile (workload.dockerfile).',
  ],
  [
    /bind source path does not exist|invalid mount config for type "bind"/,
    () =>
      "The Docker engine does not see this path, which is on Pacegate's side: the engine runs on another machine or in another container (DOCKER_HOST). Let both see Pacegate's own folder and the folder for temporary files (TMPDIR) at the same paths, or use an engine on this machine. docs/github.md says how for a runner in a pod.",
  ],
];

/**
 * One sentence on what to do about what a build or a run printed.
 * @param text its last lines, which are the workload's own words: they choose the sentence and no more than a module's name
 */
export function hintFor(text: string): string | undefined {
  for (const [pattern, words] of CAUSES) {
    const found = pattern.exec(text);
    // A group that took no part is undefined, whatever the type says.
    const parts: readonly (string | undefined)[] = found ?? [];
    if (found !== null) return words(parts.map((part) => part?.slice(0, 60)));
  }
  return undefined;
}
