/**
 * The answer to the first question, for all that ask the same.
 * @param isKept whether an answer is one to keep; an error is none, for an engine that is away comes back
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
