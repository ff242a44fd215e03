import { runAction } from './main/action.ts';
import { endureLostOutput, sayAtOnce } from './main/output.ts';
import { placesFrom } from './main/places.ts';
import { endOnUnexpected } from './process/unexpected.ts';

endOnUnexpected(sayAtOnce);
endureLostOutput();
await runAction(placesFrom(import.meta.dirname));
