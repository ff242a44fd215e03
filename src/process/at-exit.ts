/**
 * A function that must run whenever the process ends. It is synchronous, because asynchronous code no longer runs then.
 */
type Duty = () => void;

const duties = new Set<Duty>();
let listening = false;

/**
 * Runs a function if the process ends early: by a second signal, by the watchdog, or by an unexpected error. The last
 * registered function runs first. If one throws, the others still run.
 * @returns a function that removes the registration, once the work is done
 */
export function atExit(duty: Duty): () => void {
  if (!listening) process.once('exit', doDuties);
  listening = true;
  duties.add(duty);
  return () => void duties.delete(duty);
}

function doDuties(): void {
  for (const duty of [...duties].reverse()) {
    duties.delete(duty);
    try {
      duty();
    } catch {
      // The process ends in any case, and its other functions must run too.
    }
  }
}
