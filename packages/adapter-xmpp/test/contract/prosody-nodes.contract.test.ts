import { xmppNodesContract } from '../support/contract.ts';

xmppNodesContract('prosody');
