import { runAction } from './main/action.ts';

await runAction();
