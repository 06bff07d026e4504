-- The journal of a daemon that knew migrations 1 to 4, killed while it submitted an order: what
-- sqlite3's .dump says, and the two numbers of the file's header that it leaves out.
PRAGMA application_id = 1684488522;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE balances (
	balance_id INTEGER PRIMARY KEY,
	asset      TEXT NOT NULL,
	unit       TEXT NOT NULL,
	free       TEXT NOT NULL CHECK (free GLOB '*[0-9]' AND free NOT GLOB '*[^-0-9.]*'),
	locked     TEXT NOT NULL CHECK (locked GLOB '*[0-9]' AND locked NOT GLOB '*[^-0-9.]*'),
	as_of      TEXT NOT NULL CHECK (as_of GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO "balances" VALUES(1,'ADA','lovelace','100133.1667','0','2026-11-22T14:45:27.567194Z');
INSERT INTO "balances" VALUES(2,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99850','83.35','2026-11-22T14:45:27.567194Z');
INSERT INTO "balances" VALUES(3,'NIGHT','3363b99384d6ee4c4b009068af396c8fdf92dafd111e58a857af04294e49474854','1000000','0','2026-11-22T14:45:27.567194Z');
INSERT INTO "balances" VALUES(4,'IAG','5d16cc1a177b5d9ba9cfa9793b07e60f1fb70fea1f8aef064415d114494147','1000000','0','2026-11-22T14:45:27.567194Z');
CREATE TABLE fills (
	fill_number        INTEGER PRIMARY KEY, -- in the order of booking
	execution_id       TEXT NOT NULL UNIQUE,
	order_id           TEXT REFERENCES orders, -- NULL: of an order that is none of ours
	exchange_order_id  TEXT,
	token_id           TEXT,
	symbol             TEXT NOT NULL,
	side               TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
	price              TEXT NOT NULL CHECK (price GLOB '*[0-9]' AND price NOT GLOB '*[^-0-9.]*'),
	base_qty           TEXT NOT NULL CHECK (base_qty GLOB '*[0-9]' AND base_qty NOT GLOB '*[^-0-9.]*'),
	quote_qty          TEXT NOT NULL CHECK (quote_qty NOT GLOB '*[^-0-9.]*'), -- base x price, exact
	exchange_quote_qty TEXT CHECK (exchange_quote_qty NOT GLOB '*[^-0-9.]*'), -- as stated, right or wrong
	commission         TEXT NOT NULL CHECK (commission NOT GLOB '*[^-0-9.]*'),
	commission_unit    TEXT,
	role               TEXT NOT NULL CHECK (role IN ('maker', 'taker')),
	executed_at        TEXT NOT NULL CHECK (executed_at GLOB '????-??-??T??:??:??.??????Z'),
	booked_at          TEXT NOT NULL CHECK (booked_at GLOB '????-??-??T??:??:??.??????Z'),
	-- The latest executed_at of this row and all before it. Fills come late after a gap, so their
	-- own times do not rise with their numbers; this does, and leads from a time to the number
	-- where fills since then begin.
	latest_at          TEXT NOT NULL
) STRICT;
INSERT INTO "fills" VALUES(1,'605ab181-5e13-470f-a4b8-a33bfead8427','ord_01M81VG3H7ND6AS940CWH9TYA4','8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','s8cf8je83wqs','ADAUSDM','buy','0.5','33.3','16.65','16.65','0.0333','lovelace','maker','2026-11-22T14:45:25.652894Z','2026-11-22T14:45:27.488421Z','2026-11-22T14:45:25.652894Z');
INSERT INTO "fills" VALUES(2,'b9486b1a-075b-430e-9678-32e60abfdd75','ord_01M81VG3H0S18CHH77P2DJN2AW','86caaba1-f9be-4323-8933-7fb101ca0569','s8cf8je83wqs','ADAUSDM','buy','0.5','100','50','50','0.1','lovelace','maker','2026-11-22T14:45:25.651159Z','2026-11-22T14:45:27.488675Z','2026-11-22T14:45:25.652894Z');
CREATE TABLE order_events (
	event_id          INTEGER PRIMARY KEY,
	order_id          TEXT NOT NULL REFERENCES orders,
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
	state             INTEGER NOT NULL REFERENCES order_states, -- after the step
	event             TEXT NOT NULL,
	cause             TEXT, -- who or what: app, exchange, poll, recovery ...
	request_id        TEXT,
	token_id          TEXT, -- who asked, for what an app asked for
	exchange_order_id TEXT,
	http_status       INTEGER, -- of the exchange's answer
	exchange_code     INTEGER,
	detail            TEXT
) STRICT;
INSERT INTO "order_events" VALUES(1,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:23.616794Z',1,'accepted','app','req_01M81VG3H0A8SXB9DN1MG53RC3','s8cf8je83wqs',NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(2,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:23.617536Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(3,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:23.618904Z',3,'sign','exchange',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',200,NULL,NULL);
INSERT INTO "order_events" VALUES(4,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:23.620376Z',5,'ack','exchange',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(5,'ord_01M81VG3H7ND6AS940CWH9TYA4','2026-11-22T14:45:23.623239Z',1,'accepted','app','req_01M81VG3H7VGPW99YQXJET10XA','s8cf8je83wqs',NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(6,'ord_01M81VG3H7ND6AS940CWH9TYA4','2026-11-22T14:45:23.623964Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(7,'ord_01M81VG3H7ND6AS940CWH9TYA4','2026-11-22T14:45:23.625019Z',3,'sign','exchange',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',200,NULL,NULL);
INSERT INTO "order_events" VALUES(8,'ord_01M81VG3H7ND6AS940CWH9TYA4','2026-11-22T14:45:23.626418Z',5,'ack','exchange',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(9,'ord_01M81VG3HD3AKYV0JRB9J28197','2026-11-22T14:45:23.629030Z',1,'accepted','app','req_01M81VG3HCSBVA06BRQTWZJN7D','s8cf8je83wqs',NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(10,'ord_01M81VG3HD3AKYV0JRB9J28197','2026-11-22T14:45:23.629913Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(11,'ord_01M81VG3HD3AKYV0JRB9J28197','2026-11-22T14:45:23.631251Z',3,'sign','exchange',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',200,NULL,NULL);
INSERT INTO "order_events" VALUES(12,'ord_01M81VG3HD3AKYV0JRB9J28197','2026-11-22T14:45:23.633077Z',5,'ack','exchange',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(13,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:23.635391Z',1,'accepted','app','req_01M81VG3HKFVW6VTRSFE99FBT7','s8cf8je83wqs',NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(14,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:23.636470Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(15,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:23.637884Z',3,'sign','exchange',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',200,NULL,NULL);
INSERT INTO "order_events" VALUES(16,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:23.639242Z',5,'ack','exchange',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(17,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:23.641740Z',5,'cancel_requested','app','req_01M81VG3HS38V1GNGGJ5ZXXJ1M','s8cf8je83wqs','e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(18,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','2026-11-22T14:45:24.643535Z',8,'cancel','cancel',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(19,'ord_01M81VG3H7ND6AS940CWH9TYA4','2026-11-22T14:45:27.488446Z',6,'fill_part','poll',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(20,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:23.620376Z',6,'fill_part','poll',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(21,'ord_01M81VG3H0S18CHH77P2DJN2AW','2026-11-22T14:45:27.488691Z',7,'fill_all','poll',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(22,'ord_01M81VG8BXM27NFF8QJGED9SHW','2026-11-22T14:45:28.573439Z',1,'accepted','app','req_01M81VG8BXH6AXQDAWVNZGT0Y9','s8cf8je83wqs',NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(23,'ord_01M81VG8BXM27NFF8QJGED9SHW','2026-11-22T14:45:28.574161Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "order_events" VALUES(24,'ord_01M81VG8BXM27NFF8QJGED9SHW','2026-11-22T14:45:28.576350Z',3,'sign','exchange',NULL,NULL,'b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7',200,NULL,NULL);
CREATE TABLE order_states (
	state       INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE,
	is_final    INTEGER NOT NULL CHECK (is_final IN (0, 1)),
	may_be_live INTEGER NOT NULL CHECK (may_be_live IN (0, 1)) -- on the book, for all we know
) STRICT;
INSERT INTO "order_states" VALUES(1,'accepted',0,0);
INSERT INTO "order_states" VALUES(2,'building',0,0);
INSERT INTO "order_states" VALUES(3,'submitting',0,1);
INSERT INTO "order_states" VALUES(4,'unknown',0,1);
INSERT INTO "order_states" VALUES(5,'open',0,1);
INSERT INTO "order_states" VALUES(6,'partially_filled',0,1);
INSERT INTO "order_states" VALUES(7,'filled',1,0);
INSERT INTO "order_states" VALUES(8,'cancelled',1,0);
INSERT INTO "order_states" VALUES(9,'rejected',1,0);
INSERT INTO "order_states" VALUES(10,'failed',1,0);
CREATE TABLE order_submissions (
	submission_id     INTEGER PRIMARY KEY,
	order_id          TEXT NOT NULL REFERENCES orders,
	exchange_order_id TEXT NOT NULL UNIQUE,
	tx_hash           TEXT,
	attempt           INTEGER NOT NULL,
	signed_tx         TEXT NOT NULL CHECK (signed_tx != ''), -- hex
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO "order_submissions" VALUES(1,'ord_01M81VG3H0S18CHH77P2DJN2AW','86caaba1-f9be-4323-8933-7fb101ca0569','a74462a3c5149929d9c7bf7f57bc3d22524abcb1344949be088e1ab2bf539923',1,'84a800d9010281825820b2df6ea184bf92ae3e5709c02d052dfa24c747e42c1be836a9b04fde3fafe3b7000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858e6d8799fd8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd8799f5086caaba1f9be432389337fb101ca0569d8799f4040ffd8799f581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acffd87a801b000000746a5288001a05f5e1000ad8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd87980ffff020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60ed9010282581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012d90102818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e8584021e019848aa638ed5fccbe63d48eb957dc58782240b19544313bf120c4844b44baddf6919ceca847712819948ea59d2181d5dca135aa1a4967b537977576910a0581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T14:45:23.617536Z');
INSERT INTO "order_submissions" VALUES(2,'ord_01M81VG3H7ND6AS940CWH9TYA4','8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','3f796e6fcb9e3809ed9243bef2c15622cb31c83ee4ba8e58509fc059d629bbe0',1,'84a8008182582076c5622679d6498ae4047dfd25f4bdfffbbe54a0a5342afc30734bead3a26b12000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d87989508cf3dd813fed4f0aa0aff382ec14ec37d879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b000000746a5288001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d87980020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e85840c4db4d52173ca0c5e0e49caab91d0beab56475ca562ea817afe518ea34d24ac84fc58c30fc6a68a28a105e07b370b8976e84868b99ac67dff614c676de1490040581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T14:45:23.623964Z');
INSERT INTO "order_submissions" VALUES(3,'ord_01M81VG3HD3AKYV0JRB9J28197','c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e','298916323103321c144bb84d16763da74d08ecdcac7d039624b88f2f9694dc86',1,'84a80081825820d60fa67b73239e26daf796d603af7657065e995a9efe1afc2334eb4b4250d67d000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858e6d8799fd8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd8799f50c35fd4f8f6c745199bc46cf2ed0d242ed8799f4040ffd8799f581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acffd87a801b000000746a5288001a05f5e1000ad8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd87980ffff020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e858408a93988a811e40e5c82965dd5ba2ab7b268389c37a2a941f4f1e59d83939c2229546d7e9a289cc3a6dd4d71b4052dd5353eda38a203d863fe24eccfccf16cd010581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T14:45:23.629913Z');
INSERT INTO "order_submissions" VALUES(4,'ord_01M81VG3HKBMFEQZG6PGAJ3ACB','e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a','ff5403941836b2a083ef40f862e3d680de6f7ee0f6390eba9ad33e0b8ce0cb5f',1,'84a80081825820797f4627ef6f275ede8c809bdba0a473d419d96cc2d95f48bfe337d728657bd5000182a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d8798950e4ddc3b9fbb34ed29ba7d89c3dfcfb7ad879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b000000746a5288001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d879808258390013e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff00999c4b49e32ec6007586734de383699d061aae0464c66a9fe07cee7900020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e8584070d0e3d10886b0a657becbe0ea1d94fd3c30caf64dce310761204b88bbc7aa9f028e9745a0c65093b08d87332b78ef9a6fb50c742cc9e33ed594697f9bfbad0605a182010082d87980821a000aae601a0ee6b280f5f6','2026-11-22T14:45:23.636470Z');
INSERT INTO "order_submissions" VALUES(5,'ord_01M81VG8BXM27NFF8QJGED9SHW','b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7','0e94935a99a33861afffad4e69628de2dcb15f4c548d2e304c1883368d32f638',1,'84a800d9010281825820ba6a87b59c34e101e58459de3cbf1eca3818e8b7357f6cf979d74baf50c70edd000182a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d8798950b06c8794a85e4b3b942d2bfbb1d4a8e7d879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b00000068c61714001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d879808258390013e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff00999c4b49e32ec6007586734de383699d061aae0464c66a9fe07cee7900020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60ed9010282581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012d90102818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e8584028d0e665d01ccfe9aa630245a81f817e80de34e93138974f9d126bdf99a5dbb3639b305853d615aea53addcbadc33ca058b77d73fd778632aa70730790e462040581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T14:45:28.574161Z');
CREATE TABLE orders (
	order_id        TEXT NOT NULL PRIMARY KEY, -- sorts by time
	client_order_id TEXT NOT NULL,
	token_id        TEXT NOT NULL, -- whose it is; 'local' for the Unix socket's own user
	app             TEXT NOT NULL, -- the token's name then
	request_id      TEXT NOT NULL,
	body_hash       TEXT NOT NULL, -- tells a repeated request from another one with the same id
	symbol          TEXT NOT NULL,
	side            TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
	type            TEXT NOT NULL CHECK (type IN ('limit', 'market')),
	base_qty        TEXT CHECK (base_qty GLOB '*[0-9]' AND base_qty NOT GLOB '*[^0-9.]*'),
	quote_qty       TEXT CHECK (quote_qty GLOB '*[0-9]' AND quote_qty NOT GLOB '*[^0-9.]*'),
	price           TEXT CHECK (price GLOB '*[0-9]' AND price NOT GLOB '*[^0-9.]*'),
	max_slippage_bp INTEGER CHECK (max_slippage_bp >= 0),
	post_only       INTEGER NOT NULL CHECK (post_only IN (0, 1)),
	valid_until     TEXT CHECK (valid_until GLOB '????-??-??T??:??:??.??????Z'),
	created_at      TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),

	state                       INTEGER NOT NULL REFERENCES order_states,
	exchange_order_id           TEXT, -- of the latest build
	tx_hash                     TEXT,
	attempt                     INTEGER NOT NULL CHECK (attempt >= 0), -- builds begun
	cancel_requested            INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
	exchange_base_qty           TEXT CHECK (exchange_base_qty NOT GLOB '*[^-0-9.]*'),
	executed_base_qty           TEXT NOT NULL CHECK (executed_base_qty NOT GLOB '*[^-0-9.]*'),
	executed_quote_qty          TEXT NOT NULL CHECK (executed_quote_qty NOT GLOB '*[^-0-9.]*'), -- base x price
	exchange_executed_quote_qty TEXT NOT NULL CHECK (exchange_executed_quote_qty NOT GLOB '*[^-0-9.]*'), -- as stated
	average_price               TEXT CHECK (average_price NOT GLOB '*[^-0-9.]*'), -- to 12 places
	commission                  TEXT NOT NULL CHECK (commission NOT GLOB '*[^-0-9.]*'),
	commission_unit             TEXT,
	error_code                  TEXT,
	exchange_code               INTEGER,
	error                       TEXT,
	queued_ms                   INTEGER NOT NULL, -- waited for its turn
	updated_at                  TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),

	UNIQUE (client_order_id, token_id)
) STRICT;
INSERT INTO "orders" VALUES('ord_01M81VG3H0S18CHH77P2DJN2AW','auto_01M81VG3H0XETKAN8XYSP4Y8A2','s8cf8je83wqs','maker bot','req_01M81VG3H0A8SXB9DN1MG53RC3','4f8d1498e8ffc699c1ddac9b3efdcb1c58cda55808d4f8d6dbe23dfeabb99a69','ADAUSDM','buy','limit','100',NULL,'0.5',NULL,0,NULL,'2026-11-22T14:45:23.616788Z',7,'86caaba1-f9be-4323-8933-7fb101ca0569','a74462a3c5149929d9c7bf7f57bc3d22524abcb1344949be088e1ab2bf539923',1,0,'100','100','50','50','0.5','0.1','lovelace',NULL,NULL,NULL,0,'2026-11-22T14:45:27.488691Z');
INSERT INTO "orders" VALUES('ord_01M81VG3H7ND6AS940CWH9TYA4','auto_01M81VG3H74CNY2AMEF8Z93D8H','s8cf8je83wqs','maker bot','req_01M81VG3H7VGPW99YQXJET10XA','4f8d1498e8ffc699c1ddac9b3efdcb1c58cda55808d4f8d6dbe23dfeabb99a69','ADAUSDM','buy','limit','100',NULL,'0.5',NULL,0,NULL,'2026-11-22T14:45:23.623234Z',6,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','3f796e6fcb9e3809ed9243bef2c15622cb31c83ee4ba8e58509fc059d629bbe0',1,0,'100','33.3','16.65','16.65','0.5','0.0333','lovelace',NULL,NULL,NULL,0,'2026-11-22T14:45:27.488446Z');
INSERT INTO "orders" VALUES('ord_01M81VG3HD3AKYV0JRB9J28197','auto_01M81VG3HDB4RXV91SFRGCE5T2','s8cf8je83wqs','maker bot','req_01M81VG3HCSBVA06BRQTWZJN7D','4f8d1498e8ffc699c1ddac9b3efdcb1c58cda55808d4f8d6dbe23dfeabb99a69','ADAUSDM','buy','limit','100',NULL,'0.5',NULL,0,NULL,'2026-11-22T14:45:23.629023Z',5,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e','298916323103321c144bb84d16763da74d08ecdcac7d039624b88f2f9694dc86',1,0,'100','0','0','0',NULL,'0','lovelace',NULL,NULL,NULL,0,'2026-11-22T14:45:23.633077Z');
INSERT INTO "orders" VALUES('ord_01M81VG3HKBMFEQZG6PGAJ3ACB','auto_01M81VG3HK4ST1MYEXZY7YAC2H','s8cf8je83wqs','maker bot','req_01M81VG3HKFVW6VTRSFE99FBT7','4f8d1498e8ffc699c1ddac9b3efdcb1c58cda55808d4f8d6dbe23dfeabb99a69','ADAUSDM','buy','limit','100',NULL,'0.5',NULL,0,NULL,'2026-11-22T14:45:23.635384Z',8,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a','ff5403941836b2a083ef40f862e3d680de6f7ee0f6390eba9ad33e0b8ce0cb5f',1,1,'100','0','0','0',NULL,'0','lovelace',NULL,NULL,NULL,0,'2026-11-22T14:45:24.643535Z');
INSERT INTO "orders" VALUES('ord_01M81VG8BXM27NFF8QJGED9SHW','auto_01M81VG8BX0HJPHMDNX1NA9265','s8cf8je83wqs','maker bot','req_01M81VG8BXH6AXQDAWVNZGT0Y9','c8653cb2bfe8b71567b535af37875881497be4525a4f7817440de878363afe13','ADAUSDM','buy','limit','100',NULL,'0.45',NULL,0,NULL,'2026-11-22T14:45:28.573426Z',3,'b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7','0e94935a99a33861afffad4e69628de2dcb15f4c548d2e304c1883368d32f638',1,0,NULL,'0','0','0',NULL,'0',NULL,NULL,NULL,NULL,0,'2026-11-22T14:45:28.576350Z');
CREATE TABLE schema_migrations (
	version    INTEGER PRIMARY KEY,
	name       TEXT NOT NULL,
	checksum   TEXT NOT NULL, -- SHA-256 of the file
	applied_at TEXT NOT NULL
) STRICT;
INSERT INTO "schema_migrations" VALUES(1,'0001_orders','ae36dc01907e90c8d115b1d2f0224267339d37a70749f97d0ad9249f665250b3','2026-11-22T14:45:23.476526Z');
INSERT INTO "schema_migrations" VALUES(2,'0002_fills','8a6f3c65781fcd413e5a0b0641fd800ab03e57e164159c1c569d2cbae30180ce','2026-11-22T14:45:23.480949Z');
INSERT INTO "schema_migrations" VALUES(3,'0003_accounts','bc60818b30f721a218824da921eeb65df0863f54692f4c87609b836d64884d65','2026-11-22T14:45:23.482080Z');
INSERT INTO "schema_migrations" VALUES(4,'0004_views','abf19ae31a674dbb644d22c4dcce93e1856d897c10c41217076378c73603779b','2026-11-22T14:45:23.484531Z');
CREATE TABLE settings (
	name       TEXT NOT NULL PRIMARY KEY,
	value      TEXT NOT NULL,
	updated_at TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO "settings" VALUES('network','simulated','2026-11-22T14:45:23.484992Z');
INSERT INTO "settings" VALUES('epoch','a86b1808bfd2bbae','2026-11-22T14:45:23.485373Z');
INSERT INTO "settings" VALUES('exchange_account_id','ac4dcf9f-91e8-4f69-a822-303319b5b39a','2026-11-22T14:45:23.550604Z');
CREATE TABLE tokens (
	token_id        TEXT NOT NULL PRIMARY KEY,
	name            TEXT NOT NULL,
	hash            TEXT NOT NULL, -- keyed; of the secret, which is nowhere
	scopes          INTEGER NOT NULL,
	symbols         TEXT NOT NULL, -- 'ADAUSDM,NIGHTUSDM'; '' for all
	max_order_value TEXT CHECK (max_order_value NOT GLOB '*[^0-9.]*'), -- in quote units
	max_open_orders INTEGER NOT NULL CHECK (max_open_orders >= 0), -- 0: no limit of its own
	weight          INTEGER NOT NULL CHECK (weight >= 1),
	created_at      TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
	expires_at      TEXT CHECK (expires_at GLOB '????-??-??T??:??:??.??????Z'),
	revoked_at      TEXT CHECK (revoked_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO "tokens" VALUES('s8cf8je83wqs','maker bot','59e1dc52f5687933c6debc048d19dc1646c72c6e20325734e5aab52eab342eb3',7,'',NULL,0,1,'2026-11-22T14:45:23.612702Z',NULL,NULL);
CREATE INDEX orders_by_exchange_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL;
CREATE INDEX orders_by_state ON orders (state, order_id, symbol);
CREATE INDEX orders_by_token ON orders (token_id, state, order_id, symbol);
CREATE INDEX orders_by_symbol ON orders (symbol, order_id);
CREATE INDEX orders_by_token_and_symbol ON orders (token_id, symbol, order_id);
CREATE INDEX order_events_by_order ON order_events (order_id);
CREATE TRIGGER order_events_are_not_changed BEFORE UPDATE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;
CREATE TRIGGER order_events_are_not_deleted BEFORE DELETE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;
CREATE INDEX order_submissions_by_order ON order_submissions (order_id);
CREATE TRIGGER order_submissions_are_not_changed BEFORE UPDATE ON order_submissions
BEGIN SELECT RAISE(ABORT, 'order_submissions is append-only'); END;
CREATE TRIGGER order_submissions_are_not_deleted BEFORE DELETE ON order_submissions
BEGIN SELECT RAISE(ABORT, 'order_submissions is append-only'); END;
CREATE INDEX fills_by_order ON fills (order_id);
CREATE INDEX fills_by_token ON fills (token_id);
CREATE INDEX fills_by_symbol ON fills (symbol);
CREATE INDEX fills_by_token_and_symbol ON fills (token_id, symbol);
CREATE INDEX fills_by_time ON fills (latest_at);
CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE INDEX balances_by_asset ON balances (asset, unit);
CREATE VIEW v_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state);
CREATE VIEW v_open_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state)
WHERE o.state IN (SELECT state FROM order_states WHERE may_be_live);
CREATE VIEW v_fills AS
SELECT execution_id, order_id, exchange_order_id, symbol, side, price, base_qty, quote_qty,
       commission, commission_unit, role, executed_at
FROM fills;
CREATE VIEW v_audit AS
SELECT e.at, e.order_id, o.client_order_id, o.app, e.event, s.name AS state, e.cause,
       e.request_id, e.token_id, e.exchange_order_id, e.http_status, e.exchange_code, e.detail
FROM order_events AS e
JOIN orders AS o USING (order_id)
JOIN order_states AS s ON s.state = e.state
ORDER BY e.event_id;
COMMIT;
