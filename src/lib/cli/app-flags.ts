/** Arguments and flags of the commands about one app and one connection. */
import { string as stringArg } from '@oclif/core/args';
import { string } from '@oclif/core/flags';

export const appArg = stringArg({
  name: 'APP',
  description: 'App Service or Functions app, by name or resource id.',
  required: true,
  ignoreStdin: true,
});

export const slotFlag = string({ description: 'Slot of the app.', helpValue: 'NAME' });
