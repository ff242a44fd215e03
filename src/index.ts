import { runAction } from './main/action.ts';
import { placesFrom } from './main/places.ts';
import { endOnUnexpected } from './main/unexpected.ts';

endOnUnexpected();
await runAction(placesFrom(import.meta.dirname));
