-- The journal of a daemon that knew migrations 1 to 5, killed while it submitted an order: what
-- sqlite3's .dump says, and the two numbers of the file's header that it leaves out.
PRAGMA application_id = 1684488522;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (
	version    INTEGER PRIMARY KEY,
	name       TEXT NOT NULL,
	checksum   TEXT NOT NULL, -- SHA-256 of the file
	applied_at TEXT NOT NULL
) STRICT;
INSERT INTO schema_migrations VALUES(1,'0001_orders','ae36dc01907e90c8d115b1d2f0224267339d37a70749f97d0ad9249f665250b3','2026-11-22T16:18:05.910616Z');
INSERT INTO schema_migrations VALUES(2,'0002_fills','8a6f3c65781fcd413e5a0b0641fd800ab03e57e164159c1c569d2cbae30180ce','2026-11-22T16:18:05.912277Z');
INSERT INTO schema_migrations VALUES(3,'0003_accounts','bc60818b30f721a218824da921eeb65df0863f54692f4c87609b836d64884d65','2026-11-22T16:18:05.913096Z');
INSERT INTO schema_migrations VALUES(4,'0004_views','abf19ae31a674dbb644d22c4dcce93e1856d897c10c41217076378c73603779b','2026-11-22T16:18:05.913909Z');
INSERT INTO schema_migrations VALUES(5,'0005_channel_events','0697efb700ebc81a1cb0c03a6696ccb7452ccaed8c1c94748d765beba933bfef','2026-11-22T16:18:05.914760Z');
CREATE TABLE order_states (
	state       INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE,
	is_final    INTEGER NOT NULL CHECK (is_final IN (0, 1)),
	may_be_live INTEGER NOT NULL CHECK (may_be_live IN (0, 1)) -- on the book, for all we know
) STRICT;
INSERT INTO order_states VALUES(1,'accepted',0,0);
INSERT INTO order_states VALUES(2,'building',0,0);
INSERT INTO order_states VALUES(3,'submitting',0,1);
INSERT INTO order_states VALUES(4,'unknown',0,1);
INSERT INTO order_states VALUES(5,'open',0,1);
INSERT INTO order_states VALUES(6,'partially_filled',0,1);
INSERT INTO order_states VALUES(7,'filled',1,0);
INSERT INTO order_states VALUES(8,'cancelled',1,0);
INSERT INTO order_states VALUES(9,'rejected',1,0);
INSERT INTO order_states VALUES(10,'failed',1,0);
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
INSERT INTO orders VALUES('ord_01M820SVNKB0FD9P2R5VTHAWNT','rests','5scy14n7f3cq','app-0336fefc','req_01M820SVNK6W91GEFXBV5GRNWJ','c8653cb2bfe8b71567b535af37875881497be4525a4f7817440de878363afe13','ADAUSDM','buy','limit','100',NULL,'0.45',NULL,0,NULL,'2026-11-22T16:18:06.131860Z',5,'86caaba1-f9be-4323-8933-7fb101ca0569','43eea9def806e24e7e8341c1a60b7ccd41bcf2b04549f01b5b554f094a8bff69',1,0,'100','0','0','0',NULL,'0','lovelace',NULL,NULL,NULL,0,'2026-11-22T16:18:06.148720Z');
INSERT INTO orders VALUES('ord_01M820SVQFDEB473WQFGVCB58A','part','5scy14n7f3cq','app-0336fefc','req_01M820SVQFA61EHX813WTK4CRX','6aecd22fa5c71d6babe4dae67d27f5f6679434a4192de4a9022b118f1ddb39ae','ADAUSDM','buy','limit','100',NULL,'0.44',NULL,0,NULL,'2026-11-22T16:18:06.191238Z',6,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','98a48c36ba8b050d696553d5c51338dff698d340bb30fb3a96a2cd5b3b6c37d9',1,0,'100','25','11','11','0.44','0.025','lovelace',NULL,NULL,NULL,0,'2026-11-22T16:18:06.254224Z');
INSERT INTO orders VALUES('ord_01M820SVSFNAQAHE1HNSPMJTDY','whole','5scy14n7f3cq','app-0336fefc','req_01M820SVSFQBNK9T4F2YCS2Y29','0cd2b833a81c5e99ed04b23b562a23a7542dfd629c224623194e344ee18ed37e','ADAUSDM','buy','limit','100',NULL,'0.46',NULL,0,NULL,'2026-11-22T16:18:06.255237Z',7,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e','7f0b58be0976d136b68453f4b7ea595a45964a4951d97b6e375cee4436025118',1,0,'100','100','46','46','0.46','0.1','lovelace',NULL,NULL,NULL,0,'2026-11-22T16:18:06.299828Z');
INSERT INTO orders VALUES('ord_01M820SVV49AXMJKYV3T79MENV','gone','5scy14n7f3cq','app-0336fefc','req_01M820SVV4SKVJWYWY05TQT885','10cf36893e5c90248e3336018ed92d9ca2212596d0bdc4a8ccb888f3dba7b87c','ADAUSDM','buy','limit','100',NULL,'0.43',NULL,0,NULL,'2026-11-22T16:18:06.308792Z',8,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a','2c5a462b2f34cdc40ea93b69a81227de1ff1e8295bad4d833224f4fb9c43092b',1,1,'100','0','0','0',NULL,'0','lovelace',NULL,NULL,NULL,0,'2026-11-22T16:18:06.349029Z');
INSERT INTO orders VALUES('ord_01M820SX23XBN8G1NM1NVV2GAK','doubtful','5scy14n7f3cq','app-0336fefc','req_01M820SX23HFC0ZGX338DTDMYW','6475d17e42e2fb27d9c4d44285b51d6420edfbac302b164e77b054c844db7f35','ADAUSDM','buy','limit','100',NULL,'0.42',NULL,0,NULL,'2026-11-22T16:18:07.555490Z',5,'b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7','e053abfe5d1b7896eab3039fac36e903817a3c352f73856b828051547a04dbf6',1,0,'100','0','0','0',NULL,'0','lovelace',NULL,NULL,NULL,0,'2026-11-22T16:18:07.564170Z');
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
INSERT INTO order_events VALUES(1,'ord_01M820SVNKB0FD9P2R5VTHAWNT','2026-11-22T16:18:06.131876Z',1,'accepted','app','req_01M820SVNK6W91GEFXBV5GRNWJ','5scy14n7f3cq',NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(2,'ord_01M820SVNKB0FD9P2R5VTHAWNT','2026-11-22T16:18:06.141264Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(3,'ord_01M820SVNKB0FD9P2R5VTHAWNT','2026-11-22T16:18:06.144785Z',3,'sign','exchange',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',200,NULL,NULL);
INSERT INTO order_events VALUES(4,'ord_01M820SVNKB0FD9P2R5VTHAWNT','2026-11-22T16:18:06.148720Z',5,'ack','stream',NULL,NULL,'86caaba1-f9be-4323-8933-7fb101ca0569',NULL,NULL,NULL);
INSERT INTO order_events VALUES(5,'ord_01M820SVQFDEB473WQFGVCB58A','2026-11-22T16:18:06.191257Z',1,'accepted','app','req_01M820SVQFA61EHX813WTK4CRX','5scy14n7f3cq',NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(6,'ord_01M820SVQFDEB473WQFGVCB58A','2026-11-22T16:18:06.192446Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(7,'ord_01M820SVQFDEB473WQFGVCB58A','2026-11-22T16:18:06.195394Z',3,'sign','exchange',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',200,NULL,NULL);
INSERT INTO order_events VALUES(8,'ord_01M820SVQFDEB473WQFGVCB58A','2026-11-22T16:18:06.197213Z',5,'ack','stream',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',NULL,NULL,NULL);
INSERT INTO order_events VALUES(9,'ord_01M820SVQFDEB473WQFGVCB58A','2026-11-22T16:18:06.254224Z',6,'fill_part','poll',NULL,NULL,'8cf3dd81-3fed-4f0a-a0af-f382ec14ec37',NULL,NULL,NULL);
INSERT INTO order_events VALUES(10,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.255248Z',1,'accepted','app','req_01M820SVSFQBNK9T4F2YCS2Y29','5scy14n7f3cq',NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(11,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.257701Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(12,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.259402Z',3,'sign','exchange',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',200,NULL,NULL);
INSERT INTO order_events VALUES(13,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.262710Z',5,'ack','stream',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',NULL,NULL,NULL);
INSERT INTO order_events VALUES(14,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.299817Z',6,'fill_part','poll',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',NULL,NULL,NULL);
INSERT INTO order_events VALUES(15,'ord_01M820SVSFNAQAHE1HNSPMJTDY','2026-11-22T16:18:06.299828Z',7,'fill_all','poll',NULL,NULL,'c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e',NULL,NULL,NULL);
INSERT INTO order_events VALUES(16,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.308804Z',1,'accepted','app','req_01M820SVV4SKVJWYWY05TQT885','5scy14n7f3cq',NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(17,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.310564Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(18,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.311853Z',3,'sign','exchange',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',200,NULL,NULL);
INSERT INTO order_events VALUES(19,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.315261Z',5,'ack','stream',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO order_events VALUES(20,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.347424Z',5,'cancel_requested','app','req_01M820SVWBYN1XVT887WJ4AB1J','5scy14n7f3cq','e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO order_events VALUES(21,'ord_01M820SVV49AXMJKYV3T79MENV','2026-11-22T16:18:06.349029Z',8,'cancel','stream',NULL,NULL,'e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a',NULL,NULL,NULL);
INSERT INTO order_events VALUES(22,'ord_01M820SX23XBN8G1NM1NVV2GAK','2026-11-22T16:18:07.555505Z',1,'accepted','app','req_01M820SX23HFC0ZGX338DTDMYW','5scy14n7f3cq',NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(23,'ord_01M820SX23XBN8G1NM1NVV2GAK','2026-11-22T16:18:07.557610Z',2,'dispatch','scheduler',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO order_events VALUES(24,'ord_01M820SX23XBN8G1NM1NVV2GAK','2026-11-22T16:18:07.560827Z',3,'sign','exchange',NULL,NULL,'b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7',200,NULL,NULL);
INSERT INTO order_events VALUES(25,'ord_01M820SX23XBN8G1NM1NVV2GAK','2026-11-22T16:18:07.564170Z',5,'ack','stream',NULL,NULL,'b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7',NULL,NULL,NULL);
CREATE TABLE order_submissions (
	submission_id     INTEGER PRIMARY KEY,
	order_id          TEXT NOT NULL REFERENCES orders,
	exchange_order_id TEXT NOT NULL UNIQUE,
	tx_hash           TEXT,
	attempt           INTEGER NOT NULL,
	signed_tx         TEXT NOT NULL CHECK (signed_tx != ''), -- hex
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO order_submissions VALUES(1,'ord_01M820SVNKB0FD9P2R5VTHAWNT','86caaba1-f9be-4323-8933-7fb101ca0569','43eea9def806e24e7e8341c1a60b7ccd41bcf2b04549f01b5b554f094a8bff69',1,'84a800d9010281825820b2df6ea184bf92ae3e5709c02d052dfa24c747e42c1be836a9b04fde3fafe3b7000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858e6d8799fd8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd8799f5086caaba1f9be432389337fb101ca0569d8799f4040ffd8799f581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acffd87a801b00000068c61714001a05f5e1000ad8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd87980ffff020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60ed9010282581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012d90102818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e85840b5e266e76729d9fca8194b7ac38e90ebf02b06b2ac7a95a73a6ff3ca1636cc10754e44ed2a482a03ce6b6ef3c7192c96e8e201b0b9cfe73829339c888502f50d0581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T16:18:06.141264Z');
INSERT INTO order_submissions VALUES(2,'ord_01M820SVQFDEB473WQFGVCB58A','8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','98a48c36ba8b050d696553d5c51338dff698d340bb30fb3a96a2cd5b3b6c37d9',1,'84a8008182582076c5622679d6498ae4047dfd25f4bdfffbbe54a0a5342afc30734bead3a26b12000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d87989508cf3dd813fed4f0aa0aff382ec14ec37d879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b00000066720b30001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d87980020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e85840836edf1f904e14dbe8be09626dce6319986e669e7b45189bee0d3d6e46b231530a0eba9aa52774fc99946a3b273f173f0ec95bf9dfd68575d7e003fd837ba5060581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T16:18:06.192446Z');
INSERT INTO order_submissions VALUES(3,'ord_01M820SVSFNAQAHE1HNSPMJTDY','c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e','7f0b58be0976d136b68453f4b7ea595a45964a4951d97b6e375cee4436025118',1,'84a80081825820d60fa67b73239e26daf796d603af7657065e995a9efe1afc2334eb4b4250d67d000181a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858e6d8799fd8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd8799f50c35fd4f8f6c745199bc46cf2ed0d242ed8799f4040ffd8799f581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acffd87a801b0000006b1a22f8001a05f5e1000ad8799f50ac4dcf9f91e84f69a822303319b5b39ad8799f581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81ffffd87980ffff020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e8584042fc6afaed3cebed9ce50a6f919f68b760f05056bf9eb2217a57680ed1a6a4612418dedbf50f79747411854e6258d7664d7331e04035dabd91eb13cc3efa370a0581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T16:18:06.257701Z');
INSERT INTO order_submissions VALUES(4,'ord_01M820SVV49AXMJKYV3T79MENV','e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a','2c5a462b2f34cdc40ea93b69a81227de1ff1e8295bad4d833224f4fb9c43092b',1,'84a80081825820797f4627ef6f275ede8c809bdba0a473d419d96cc2d95f48bfe337d728657bd5000182a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d8798950e4ddc3b9fbb34ed29ba7d89c3dfcfb7ad879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b000000641dff4c001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d879808258390013e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff00999c4b49e32ec6007586734de383699d061aae0464c66a9fe07cee7900020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60e82581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e8584069cc02365934737da2154944ec1ff8824c1f602acd7f6cbf02e0651997fddf4fc32ec78612969d7eae3a9f5af9132fe11fe084668833fa9977baa2672984720a05a182010082d87980821a000aae601a0ee6b280f5f6','2026-11-22T16:18:06.310564Z');
INSERT INTO order_submissions VALUES(5,'ord_01M820SX23XBN8G1NM1NVV2GAK','b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7','e053abfe5d1b7896eab3039fac36e903817a3c352f73856b828051547a04dbf6',1,'84a800d9010281825820ba6a87b59c34e101e58459de3cbf1eca3818e8b7357f6cf979d74baf50c70edd000182a300581d70c802ade035b32067654fe1dcc6389793c36306a954143602a8d1ba04018200a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da14001028201d81858ded87982d8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d8798950b06c8794a85e4b3b942d2bfbb1d4a8e7d879824040d87982581c8a3997eaef580867ebd5812839c506525954d94cbafdf95380aeae7958209ec8b3f59167168a8bb1d19cd76336991c311f74f8796a27e18b4ee68b5b78acd87a801b00000061c9f368001a05f5e1000ad8798250ac4dcf9f91e84f69a822303319b5b39ad87981581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81d879808258390013e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff00999c4b49e32ec6007586734de383699d061aae0464c66a9fe07cee7900020009a1581c2ea09256ac4483c0126cb95505946a8b48a6ce787c349778b914e33da140010b582028c97d69988e4a370067a844221ac9ec05bb42c547ef630283634c589917c7a60ed9010282581c1a7287abdcfc97716d53cd2c2926e421c6d00f1bc756161dd18a7e81581c13e77458a2dc39d63b53d37da0d10919895912f82c01de2129f5ff000f0012d90102818258205a3011f438e5ef5f016b5ccaea7c1688c99ea1ac728cb157314c39cea8db3f4400a200818258201e0ddcd55a2b4747b683b1487868fd0b369a8190bc92163c2e42ac105af5d4e85840092e72e01b4885eb4f19db35103836ce7f6404f02622fbc527d5dcd472747116c5feaa1954aea85cdeaa34d944c63ea7f1b51f1767b03f1065e5e55ffc86410b0581840100d87980821a000aae601a0ee6b280f5f6','2026-11-22T16:18:07.557610Z');
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
INSERT INTO fills VALUES(1,'b9486b1a-075b-430e-9678-32e60abfdd75','ord_01M820SVQFDEB473WQFGVCB58A','8cf3dd81-3fed-4f0a-a0af-f382ec14ec37','5scy14n7f3cq','ADAUSDM','buy','0.44','25','11','11','0.025','lovelace','maker','2026-11-22T16:18:06.250735Z','2026-11-22T16:18:06.254190Z','2026-11-22T16:18:06.250735Z');
INSERT INTO fills VALUES(2,'605ab181-5e13-470f-a4b8-a33bfead8427','ord_01M820SVSFNAQAHE1HNSPMJTDY','c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e','5scy14n7f3cq','ADAUSDM','buy','0.46','100','46','46','0.1','lovelace','maker','2026-11-22T16:18:06.296773Z','2026-11-22T16:18:06.299789Z','2026-11-22T16:18:06.296773Z');
CREATE TABLE balances (
	balance_id INTEGER PRIMARY KEY,
	asset      TEXT NOT NULL,
	unit       TEXT NOT NULL,
	free       TEXT NOT NULL CHECK (free GLOB '*[0-9]' AND free NOT GLOB '*[^-0-9.]*'),
	locked     TEXT NOT NULL CHECK (locked GLOB '*[0-9]' AND locked NOT GLOB '*[^-0-9.]*'),
	as_of      TEXT NOT NULL CHECK (as_of GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO balances VALUES(1,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99955','45','2026-11-22T16:18:06.149449Z');
INSERT INTO balances VALUES(2,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99911','89','2026-11-22T16:18:06.197669Z');
INSERT INTO balances VALUES(3,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99911','78','2026-11-22T16:18:06.254377Z');
INSERT INTO balances VALUES(4,'ADA','lovelace','100024.975','0','2026-11-22T16:18:06.254377Z');
INSERT INTO balances VALUES(5,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99865','124','2026-11-22T16:18:06.263241Z');
INSERT INTO balances VALUES(6,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99865','78','2026-11-22T16:18:06.301144Z');
INSERT INTO balances VALUES(7,'ADA','lovelace','100124.875','0','2026-11-22T16:18:06.301144Z');
INSERT INTO balances VALUES(8,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99822','121','2026-11-22T16:18:06.315319Z');
INSERT INTO balances VALUES(9,'USDM','c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d','99865','78','2026-11-22T16:18:06.349060Z');
INSERT INTO balances VALUES(10,'NIGHT','3363b99384d6ee4c4b009068af396c8fdf92dafd111e58a857af04294e49474854','1000000','0','2026-11-22T16:18:06.538878Z');
INSERT INTO balances VALUES(11,'IAG','5d16cc1a177b5d9ba9cfa9793b07e60f1fb70fea1f8aef064415d114494147','1000000','0','2026-11-22T16:18:06.538878Z');
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
INSERT INTO tokens VALUES('5scy14n7f3cq','app-0336fefc','489609c7b6a7d98162d008a9b6fe256c8319c52d96777fc834d64be6e2757212',7,'',NULL,0,1,'2026-11-22T16:18:06.123539Z',NULL,NULL);
CREATE TABLE settings (
	name       TEXT NOT NULL PRIMARY KEY,
	value      TEXT NOT NULL,
	updated_at TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
INSERT INTO settings VALUES('network','simulated','2026-11-22T16:18:05.915517Z');
INSERT INTO settings VALUES('epoch','306d59943eb2db97','2026-11-22T16:18:05.915946Z');
INSERT INTO settings VALUES('executions_since','2026-11-22T16:18:05.965058Z','2026-11-22T16:18:05.965977Z');
INSERT INTO settings VALUES('executions_complete','2026-11-22T16:18:06.296773Z','2026-11-22T16:18:06.537694Z');
INSERT INTO settings VALUES('exchange_account_id','ac4dcf9f-91e8-4f69-a822-303319b5b39a','2026-11-22T16:18:06.035748Z');
CREATE TABLE channels (
	channel INTEGER PRIMARY KEY,
	name    TEXT NOT NULL UNIQUE,
	pruned  INTEGER NOT NULL DEFAULT 0 -- the highest number that was deleted of it
) STRICT;
INSERT INTO channels VALUES(1,'orders',0);
INSERT INTO channels VALUES(2,'fills',0);
INSERT INTO channels VALUES(3,'balances',0);
INSERT INTO channels VALUES(4,'system',0);
CREATE TABLE channel_events (
	seq      INTEGER PRIMARY KEY,
	channel  INTEGER NOT NULL REFERENCES channels,
	type     TEXT NOT NULL,
	token_id TEXT NOT NULL, -- whose; '' for what belongs to nobody
	symbol   TEXT NOT NULL, -- '' where it does not apply
	at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
	data     TEXT NOT NULL CHECK (data GLOB '{*}') -- a JSON object
) STRICT;
INSERT INTO channel_events VALUES(1,4,'exchange.reachable','','','2026-11-22T16:18:06.035736Z','{"about":null,"text":"the exchange answers"}');
INSERT INTO channel_events VALUES(2,4,'operation_key.loaded','','','2026-11-22T16:18:06.106896Z','{"about":null,"text":"the operation key is loaded: orders can be signed"}');
INSERT INTO channel_events VALUES(3,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.131876Z','{"order_id":"ord_01M820SVNKB0FD9P2R5VTHAWNT","client_order_id":"rests","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.45","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"accepted","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.131860Z","updated_at":"2026-11-22T16:18:06.131876Z"}');
INSERT INTO channel_events VALUES(4,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.141264Z','{"order_id":"ord_01M820SVNKB0FD9P2R5VTHAWNT","client_order_id":"rests","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.45","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"building","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.131860Z","updated_at":"2026-11-22T16:18:06.141264Z"}');
INSERT INTO channel_events VALUES(5,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.144785Z','{"order_id":"ord_01M820SVNKB0FD9P2R5VTHAWNT","client_order_id":"rests","exchange_order_id":"86caaba1-f9be-4323-8933-7fb101ca0569","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.45","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"submitting","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.131860Z","updated_at":"2026-11-22T16:18:06.144785Z"}');
INSERT INTO channel_events VALUES(6,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.148720Z','{"order_id":"ord_01M820SVNKB0FD9P2R5VTHAWNT","client_order_id":"rests","exchange_order_id":"86caaba1-f9be-4323-8933-7fb101ca0569","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.45","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.131860Z","updated_at":"2026-11-22T16:18:06.148720Z"}');
INSERT INTO channel_events VALUES(7,3,'balance.updated','','','2026-11-22T16:18:06.149449Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99955","locked":"45","as_of":"2026-11-22T16:18:06.149449Z"}');
INSERT INTO channel_events VALUES(8,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.191257Z','{"order_id":"ord_01M820SVQFDEB473WQFGVCB58A","client_order_id":"part","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.44","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"accepted","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.191238Z","updated_at":"2026-11-22T16:18:06.191257Z"}');
INSERT INTO channel_events VALUES(9,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.192446Z','{"order_id":"ord_01M820SVQFDEB473WQFGVCB58A","client_order_id":"part","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.44","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"building","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.191238Z","updated_at":"2026-11-22T16:18:06.192446Z"}');
INSERT INTO channel_events VALUES(10,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.195394Z','{"order_id":"ord_01M820SVQFDEB473WQFGVCB58A","client_order_id":"part","exchange_order_id":"8cf3dd81-3fed-4f0a-a0af-f382ec14ec37","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.44","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"submitting","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.191238Z","updated_at":"2026-11-22T16:18:06.195394Z"}');
INSERT INTO channel_events VALUES(11,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.197213Z','{"order_id":"ord_01M820SVQFDEB473WQFGVCB58A","client_order_id":"part","exchange_order_id":"8cf3dd81-3fed-4f0a-a0af-f382ec14ec37","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.44","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.191238Z","updated_at":"2026-11-22T16:18:06.197213Z"}');
INSERT INTO channel_events VALUES(12,3,'balance.updated','','','2026-11-22T16:18:06.197669Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99911","locked":"89","as_of":"2026-11-22T16:18:06.197669Z"}');
INSERT INTO channel_events VALUES(13,2,'fill.created','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.254190Z','{"execution_id":"b9486b1a-075b-430e-9678-32e60abfdd75","order_id":"ord_01M820SVQFDEB473WQFGVCB58A","exchange_order_id":"8cf3dd81-3fed-4f0a-a0af-f382ec14ec37","symbol":"ADAUSDM","side":"buy","price":"0.44","base_qty":"25","quote_qty":"11","exchange_quote_qty":"11","commission":"0.025","commission_unit":"lovelace","role":"maker","executed_at":"2026-11-22T16:18:06.250735Z"}');
INSERT INTO channel_events VALUES(14,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.254224Z','{"order_id":"ord_01M820SVQFDEB473WQFGVCB58A","client_order_id":"part","exchange_order_id":"8cf3dd81-3fed-4f0a-a0af-f382ec14ec37","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.44","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"partially_filled","executed_base_qty":"25","executed_quote_qty":"11","exchange_executed_quote_qty":"11","average_price":"0.44","commission":"0.025","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.191238Z","updated_at":"2026-11-22T16:18:06.254224Z"}');
INSERT INTO channel_events VALUES(15,3,'balance.updated','','','2026-11-22T16:18:06.254377Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99911","locked":"78","as_of":"2026-11-22T16:18:06.254377Z"}');
INSERT INTO channel_events VALUES(16,3,'balance.updated','','','2026-11-22T16:18:06.254377Z','{"asset":"ADA","unit":"lovelace","free":"100024.975","locked":"0","as_of":"2026-11-22T16:18:06.254377Z"}');
INSERT INTO channel_events VALUES(17,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.255248Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"accepted","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.255248Z"}');
INSERT INTO channel_events VALUES(18,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.257701Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"building","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.257701Z"}');
INSERT INTO channel_events VALUES(19,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.259402Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":"c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"submitting","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.259402Z"}');
INSERT INTO channel_events VALUES(20,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.262710Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":"c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.262710Z"}');
INSERT INTO channel_events VALUES(21,3,'balance.updated','','','2026-11-22T16:18:06.263241Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99865","locked":"124","as_of":"2026-11-22T16:18:06.263241Z"}');
INSERT INTO channel_events VALUES(22,2,'fill.created','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.299789Z','{"execution_id":"605ab181-5e13-470f-a4b8-a33bfead8427","order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","exchange_order_id":"c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e","symbol":"ADAUSDM","side":"buy","price":"0.46","base_qty":"100","quote_qty":"46","exchange_quote_qty":"46","commission":"0.1","commission_unit":"lovelace","role":"maker","executed_at":"2026-11-22T16:18:06.296773Z"}');
INSERT INTO channel_events VALUES(23,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.299817Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":"c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"partially_filled","executed_base_qty":"100","executed_quote_qty":"46","exchange_executed_quote_qty":"46","average_price":"0.46","commission":"0.1","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.299817Z"}');
INSERT INTO channel_events VALUES(24,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.299828Z','{"order_id":"ord_01M820SVSFNAQAHE1HNSPMJTDY","client_order_id":"whole","exchange_order_id":"c35fd4f8-f6c7-4519-9bc4-6cf2ed0d242e","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.46","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"filled","executed_base_qty":"100","executed_quote_qty":"46","exchange_executed_quote_qty":"46","average_price":"0.46","commission":"0.1","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.255237Z","updated_at":"2026-11-22T16:18:06.299828Z"}');
INSERT INTO channel_events VALUES(25,3,'balance.updated','','','2026-11-22T16:18:06.301144Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99865","locked":"78","as_of":"2026-11-22T16:18:06.301144Z"}');
INSERT INTO channel_events VALUES(26,3,'balance.updated','','','2026-11-22T16:18:06.301144Z','{"asset":"ADA","unit":"lovelace","free":"100124.875","locked":"0","as_of":"2026-11-22T16:18:06.301144Z"}');
INSERT INTO channel_events VALUES(27,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.308804Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"accepted","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.308804Z"}');
INSERT INTO channel_events VALUES(28,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.310564Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"building","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.310564Z"}');
INSERT INTO channel_events VALUES(29,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.311853Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":"e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"submitting","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.311853Z"}');
INSERT INTO channel_events VALUES(30,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.315261Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":"e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.315261Z"}');
INSERT INTO channel_events VALUES(31,3,'balance.updated','','','2026-11-22T16:18:06.315319Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99822","locked":"121","as_of":"2026-11-22T16:18:06.315319Z"}');
INSERT INTO channel_events VALUES(32,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.347424Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":"e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":true,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.347424Z"}');
INSERT INTO channel_events VALUES(33,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:06.349029Z','{"order_id":"ord_01M820SVV49AXMJKYV3T79MENV","client_order_id":"gone","exchange_order_id":"e4ddc3b9-fbb3-4ed2-9ba7-d89c3dfcfb7a","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.43","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"cancelled","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":true,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:06.308792Z","updated_at":"2026-11-22T16:18:06.349029Z"}');
INSERT INTO channel_events VALUES(34,3,'balance.updated','','','2026-11-22T16:18:06.349060Z','{"asset":"USDM","unit":"c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d","free":"99865","locked":"78","as_of":"2026-11-22T16:18:06.349060Z"}');
INSERT INTO channel_events VALUES(35,3,'balance.updated','','','2026-11-22T16:18:06.538878Z','{"asset":"NIGHT","unit":"3363b99384d6ee4c4b009068af396c8fdf92dafd111e58a857af04294e49474854","free":"1000000","locked":"0","as_of":"2026-11-22T16:18:06.538878Z"}');
INSERT INTO channel_events VALUES(36,3,'balance.updated','','','2026-11-22T16:18:06.538878Z','{"asset":"IAG","unit":"5d16cc1a177b5d9ba9cfa9793b07e60f1fb70fea1f8aef064415d114494147","free":"1000000","locked":"0","as_of":"2026-11-22T16:18:06.538878Z"}');
INSERT INTO channel_events VALUES(37,4,'stream.live','','','2026-11-22T16:18:06.539181Z','{"about":"account","text":"the stream is live"}');
INSERT INTO channel_events VALUES(38,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:07.555505Z','{"order_id":"ord_01M820SX23XBN8G1NM1NVV2GAK","client_order_id":"doubtful","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.42","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"accepted","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:07.555490Z","updated_at":"2026-11-22T16:18:07.555505Z"}');
INSERT INTO channel_events VALUES(39,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:07.557610Z','{"order_id":"ord_01M820SX23XBN8G1NM1NVV2GAK","client_order_id":"doubtful","exchange_order_id":null,"app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.42","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"building","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":0,"created_at":"2026-11-22T16:18:07.555490Z","updated_at":"2026-11-22T16:18:07.557610Z"}');
INSERT INTO channel_events VALUES(40,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:07.560827Z','{"order_id":"ord_01M820SX23XBN8G1NM1NVV2GAK","client_order_id":"doubtful","exchange_order_id":"b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.42","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"submitting","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":null,"error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:07.555490Z","updated_at":"2026-11-22T16:18:07.560827Z"}');
INSERT INTO channel_events VALUES(41,1,'order.updated','5scy14n7f3cq','ADAUSDM','2026-11-22T16:18:07.564170Z','{"order_id":"ord_01M820SX23XBN8G1NM1NVV2GAK","client_order_id":"doubtful","exchange_order_id":"b06c8794-a85e-4b3b-942d-2bfbb1d4a8e7","app":"app-0336fefc","symbol":"ADAUSDM","side":"buy","type":"limit","base_qty":"100","quote_qty":null,"price":"0.42","post_only":false,"max_slippage_basis_point":null,"valid_until":null,"state":"open","executed_base_qty":"0","executed_quote_qty":"0","exchange_executed_quote_qty":"0","average_price":null,"commission":"0","commission_unit":"lovelace","error":null,"cancel_requested":false,"queued_ms":0,"attempt":1,"created_at":"2026-11-22T16:18:07.555490Z","updated_at":"2026-11-22T16:18:07.564170Z"}');
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
CREATE INDEX channel_events_by_channel ON channel_events (channel);
CREATE INDEX channel_events_by_token ON channel_events (channel, token_id);
CREATE INDEX channel_events_by_symbol ON channel_events (channel, symbol);
CREATE TRIGGER channel_events_are_not_changed BEFORE UPDATE ON channel_events
BEGIN SELECT RAISE(ABORT, 'channel_events is append-only'); END;
CREATE TRIGGER channel_events_go_oldest_first BEFORE DELETE ON channel_events
WHEN EXISTS (SELECT 1 FROM channel_events WHERE seq < old.seq)
BEGIN SELECT RAISE(ABORT, 'channel_events is pruned from its oldest row on'); END;
CREATE TRIGGER channel_events_keep_the_newest BEFORE DELETE ON channel_events
WHEN NOT EXISTS (SELECT 1 FROM channel_events WHERE seq > old.seq)
BEGIN SELECT RAISE(ABORT, 'the newest row of channel_events holds its number'); END;
CREATE TRIGGER channel_events_note_what_goes AFTER DELETE ON channel_events
BEGIN UPDATE channels SET pruned = old.seq WHERE channel = old.channel; END;
COMMIT;
