import { xmppContract } from '../support/contract.ts';

xmppContract('prosody');
