/** What must be done however the process ends; synchronous, for nothing else runs then. */
type Duty = () => void;

const duties = new Set<Duty>();
let listening = false;

/**
 * Does something when the process ends before it could be done in order: by a second signal, by the watchdog, or by an
 * unexpected error. What was registered last is done first. A duty that throws stops no other.
 * @returns takes the duty back: what it was for is done
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
      // The process ends either way, and its other duties matter as much.
    }
  }
}
