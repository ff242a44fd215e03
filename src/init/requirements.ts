import { folderOf, type ProjectFiles } from './project-files.ts';
import { requirementName } from './pyproject.ts';

/** The contents of a requirements file, including the files that it includes. */
export interface Requirements {
  /** Normalised names. */
  readonly names: readonly string[];
  /** Lines that install a project from its source, with the file and the line: `requirements.txt line 3: -e .`. */
  readonly local: readonly string[];
  /** Included files that do not exist, in the same form. */
  readonly missing: readonly string[];
}

const INCLUDE = /^(?:-r|--requirement|-c|--constraint)(?:\s+|=|(?=\S))(\S+)/;
const ARCHIVE = /\.(whl|zip|tar\.\w+|tgz)$/;

/** Reads a requirements file as pip does: `-r` and `-c` from the folder of the file that names them. */
export function readRequirements(files: ProjectFiles, path: string): Requirements {
  const names = new Set<string>();
  const [local, missing]: [string[], string[]] = [[], []];
  const seen = new Set<string>();
  const read = (file: string, counts: boolean): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = (files.texts.get(file) ?? '').replace(/\\\r?\n/g, ' ');
    for (const [index, raw] of text.split(/\r?\n/).entries()) {
      const line = raw.replace(/(^|\s)#.*/, '').trim();
      const place = `${file} line ${index + 1}: ${line}`;
      const [, included] = INCLUDE.exec(line) ?? [];
      if (included !== undefined) {
        const target = joined(folderOf(file), included);
        if (target === undefined || !files.paths.includes(target)) missing.push(place);
        else read(target, counts && !/^(-c|--constraint)/.test(line));
      } else if (
        /^(-e|--editable)\b/.test(line) ||
        (/^(\.{1,2}(\/|$)|file:)/.test(line) && !ARCHIVE.test(line))
      )
        local.push(place);
      else if (counts && !line.startsWith('-')) {
        const name = requirementName(line);
        if (name !== undefined) names.add(name);
      }
    }
  };
  read(path, true);
  return { names: [...names], local, missing };
}

/** A path relative to a folder, without `.` and `..`; undefined if it leads out of the project. */
function joined(folder: string, path: string): string | undefined {
  const steps: string[] = folder === '.' ? [] : folder.split('/');
  for (const step of path.split('/')) {
    if (step === '..') {
      if (steps.pop() === undefined) return undefined;
    } else if (step !== '.' && step !== '') steps.push(step);
  }
  return steps.join('/');
}
