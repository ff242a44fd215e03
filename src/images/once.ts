/**
 * Caches the answer to a question. @param isKept whether an answer may be cached; errors are not, because the engine
 * may answer later
 */
export function once<Answer>(
  answers: Map<string, Promise<Answer>>,
  key: string,
  ask: () => Promise<Answer>,
  isKept: (answer: Answer) => boolean = () => true,
): Promise<Answer> {
  const answer = answers.get(key) ?? ask();
  answers.set(key, answer);
  const forget = () => {
    if (answers.get(key) === answer) answers.delete(key);
  };
  answer.then((given) => {
    if (!isKept(given)) forget();
  }, forget);
  return answer;
}
