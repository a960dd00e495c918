untrusted comment: signed by key b5043e70f9a75cde
RWS1
