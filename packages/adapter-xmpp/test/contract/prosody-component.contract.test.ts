import { xmppComponentContract } from '../support/contract.ts';

xmppComponentContract('prosody');
