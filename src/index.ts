import { runAction } from './main/action.ts';
import { placesFrom } from './main/places.ts';
import { endOnUnexpected, endureLostOutput } from './main/unexpected.ts';

endOnUnexpected();
endureLostOutput();
await runAction(placesFrom(import.meta.dirname));
