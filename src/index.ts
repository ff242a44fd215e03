import { runAction } from './main/action.ts';
import { tolerateLostOutput, sayAtOnce } from './main/output.ts';
import { placesFrom } from './main/places.ts';
import { endOnUnexpected } from './process/unexpected.ts';

/** The program of the action. */

endOnUnexpected(sayAtOnce);
tolerateLostOutput();
await runAction(placesFrom(import.meta.dirname));
