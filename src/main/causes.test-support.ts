import { explain, prominentFunctions } from '../diagnosis/explain.ts';
import type { Session } from '../session/session.ts';

/** The functions and modules that a session's profiles name as causes. */
export const namedAsCause = ({ explanations = [] }: Session): readonly string[] =>
  explanations.flatMap((explanation) => {
    const explained = explain(explanation);
    return explained === undefined ? [] : prominentFunctions(explained).map(({ name }) => name);
  });
