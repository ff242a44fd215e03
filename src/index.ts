import { runAction } from './main/action.ts';
import { placesFrom } from './main/places.ts';

await runAction(placesFrom(import.meta.dirname));
