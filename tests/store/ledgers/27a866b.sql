BEGIN TRANSACTION;
CREATE TABLE accounts (
            account TEXT PRIMARY KEY,
            closed_until REAL NOT NULL,
            narrowed_until REAL NOT NULL
        ) STRICT
        ;
CREATE TABLE generations (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            request TEXT NOT NULL,
            request_hash TEXT NOT NULL,
            request_key TEXT,
            answered TEXT NOT NULL,
            stage TEXT NOT NULL,
            holder TEXT NOT NULL,
            created_at REAL NOT NULL,
            refused_since REAL,
            submit_token TEXT UNIQUE,
            submitted_at REAL,
            job_id TEXT,
            seed INTEGER,
            provider_queued INTEGER NOT NULL,
            queue_position INTEGER,
            images TEXT NOT NULL,
            failure TEXT,
            finished_at REAL
        ) STRICT
        ;
INSERT INTO "generations" VALUES(1,'gen_5nfwd73letz5aogrgsfecbv6la','local','sketch','sketch','{"provider":"sketch","prompt":"a saved one","model":"sketch","count":1,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','2ea94276525a0d7f24f82b15959fb8243368bffec947f0251aa90159fd7faddc','saved','delivered','succeeded','365836ccf72f4b29',1.79588945367591547967e+09,NULL,'fdcb6d815dbc9c887d1bec387cc6d223',1.79588945369759917262e+09,'sketch-1666074728',1666074728,0,NULL,'[{"index":1,"status":"succeeded","path":"/home/somebody/pictures/2026-11-28/a-saved-one-5nfwd73l-1.png","mime_type":"image/png","width":1280,"height":720,"bytes":655765,"watermarked":false,"hidden":false}]',NULL,1.79588945536615324019e+09);
INSERT INTO "generations" VALUES(2,'gen_wem5ilgs2rzcfqwnzke5r6yznu','local','fatthumb','fatthumb:cb747763150ec4e3addf','{"provider":"fatthumb","prompt":"two of FatThumb","model":"gemini-3-pro","count":2,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','1543f75c7650dce99ba6a5ac3b804b69224bfaf29c81dac18e43d39abe578b11',NULL,'delivered','succeeded','0225110b5e44f192',1.79588945629149198532e+09,NULL,'2934b46a31ced131b6fccb5a9c10a830',1.79588945648922133444e+09,'generation_8fcf567edf4bffc69d45',NULL,0,NULL,'[{"index":1,"status":"succeeded","path":"/home/somebody/pictures/2026-11-28/two-of-fatthumb-wem5ilgs-1.png","url":"http://127.0.0.1:39993/files/thumb_6b9f3c8de7494919b445.png","mime_type":"image/png","width":1280,"height":720,"bytes":14170,"watermarked":false,"hidden":false},{"index":2,"status":"succeeded","path":"/home/somebody/pictures/2026-11-28/two-of-fatthumb-wem5ilgs-2.png","url":"http://127.0.0.1:39993/files/thumb_bd716ff099d9778b6b41.png","mime_type":"image/png","width":1280,"height":720,"bytes":14042,"watermarked":false,"hidden":false}]',NULL,1.7958894582357563972e+09);
INSERT INTO "generations" VALUES(3,'gen_hc2goxlwr2jm47ugfazbeb7b7a','local','fatthumb','fatthumb:cb747763150ec4e3addf','{"provider":"fatthumb","prompt":"refused","model":"gemini-3-pro","count":1,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','f8084b62e4bdd8cd612603b6d70d763d24a5f854ffd5afaf69285c61812795ff',NULL,'delivered','failed','66ca457ffddc06e4',1.795889458772203207e+09,NULL,'533de3f440257c29b4ace76d9e2dd7bf',1.79588945877227115638e+09,NULL,NULL,0,NULL,'[]','{"code":"moderated","message":"FatThumb answered 400 and says: \"Prompt was flagged by moderation\"","charged":"no","next_step":"Reword the prompt and generate again."}',1.79588945886478114129e+09);
INSERT INTO "generations" VALUES(4,'gen_t6dluzjua5xy244jsyyy4ory5u','local','fatthumb','fatthumb:cb747763150ec4e3addf','{"provider":"fatthumb","prompt":"still running","model":"gemini-3-pro","count":1,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','415e3a90613b7aabcc09020e1294195faaec3ad6079965aa88a997100858c366',NULL,'delivered','running','19c0a379a02b4c5f',1.79588945973411726955e+09,NULL,'ba91b3b734921909d43f41189856fbfc',1.79588945992503428456e+09,'generation_cf207c0d4aaaa4df17aa',NULL,0,NULL,'[{"index":1,"status":"processing","watermarked":false,"hidden":false}]',NULL,NULL);
INSERT INTO "generations" VALUES(5,'gen_p77mxp6urc6mgluamhbiaqiu2m','local','fatthumb','fatthumb:cb747763150ec4e3addf','{"provider":"fatthumb","prompt":"outcome unknown","model":"gemini-3-pro","count":1,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','a5d04513d9b33afd191a5c00a7c2406a9e6b3c50f58dd55c03d11f981886ab0a',NULL,'delivered','failed','58a15bbf4b3ca4e0',1.79588946483189487455e+09,NULL,'b5c12061fa9960c9b026d18db10d22ec',1.79588946483216047285e+09,NULL,NULL,0,NULL,'[]','{"code":"outcome_unknown","message":"The request was sent to FatThumb, but FatThumb answered 502 and says: \"gateway\". It may have started and been charged","charged":"maybe","next_step":"Look in the FatThumb account''s own gallery and credits before generating this again; Darkroom will not send it a second time."}',1.79588946528645920751e+09);
INSERT INTO "generations" VALUES(6,'gen_nfrwxxv5nonjlnfienatzd6hge','local','fatthumb','fatthumb:cb747763150ec4e3addf','{"provider":"fatthumb","prompt":"waiting","model":"gemini-3-pro","count":1,"aspect_ratio":null,"negative_prompt":null,"seed":null,"options":{}}','4afb2b7a47e6d0dc76f03defe8ba6a27dc370532e64363391cca0fd99973cb30',NULL,'delivered','accepted','19c0a379a02b4c5f',1.79588946665963172908e+09,NULL,NULL,NULL,NULL,NULL,0,NULL,'[]',NULL,NULL);
CREATE TABLE migrations (name TEXT PRIMARY KEY, at REAL NOT NULL) STRICT;
INSERT INTO "migrations" VALUES('0001_generations',1.7958894536669969559e+09);
INSERT INTO "migrations" VALUES('0002_limits',1.7958894536669969559e+09);
INSERT INTO "migrations" VALUES('0003_tasks',1.7958894536669969559e+09);
CREATE TABLE requests (account TEXT NOT NULL, at REAL NOT NULL, count INTEGER NOT NULL) STRICT;
INSERT INTO "requests" VALUES('sketch',1.79588945367600893976e+09,1);
INSERT INTO "requests" VALUES('fatthumb:cb747763150ec4e3addf',1.79588945629157352443e+09,1);
INSERT INTO "requests" VALUES('fatthumb:cb747763150ec4e3addf',1.79588945877227115638e+09,1);
INSERT INTO "requests" VALUES('fatthumb:cb747763150ec4e3addf',1.79588945973419880867e+09,1);
INSERT INTO "requests" VALUES('fatthumb:cb747763150ec4e3addf',1.79588946483216047285e+09,1);
CREATE TABLE submissions (submit_token TEXT PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL) STRICT;
INSERT INTO "submissions" VALUES('fdcb6d815dbc9c887d1bec387cc6d223','sketch',1.79588945369759917262e+09);
INSERT INTO "submissions" VALUES('2934b46a31ced131b6fccb5a9c10a830','fatthumb:cb747763150ec4e3addf',1.79588945648922133444e+09);
INSERT INTO "submissions" VALUES('533de3f440257c29b4ace76d9e2dd7bf','fatthumb:cb747763150ec4e3addf',1.79588945886478114129e+09);
INSERT INTO "submissions" VALUES('ba91b3b734921909d43f41189856fbfc','fatthumb:cb747763150ec4e3addf',1.79588945992503428456e+09);
INSERT INTO "submissions" VALUES('b5c12061fa9960c9b026d18db10d22ec','fatthumb:cb747763150ec4e3addf',1.79588946528645920751e+09);
CREATE TABLE tasks (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            tool TEXT NOT NULL,
            arguments TEXT NOT NULL,
            stage TEXT NOT NULL,
            created_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            questions TEXT NOT NULL,
            generation_ids TEXT NOT NULL,
            refusal TEXT
        ) STRICT
        ;
CREATE INDEX generations_by_owner ON generations (owner, seq);
CREATE UNIQUE INDEX generations_by_key ON generations (owner, request_key) WHERE request_key NOT NULL;
CREATE INDEX generations_unanswered ON generations (owner, request_hash) WHERE answered <> 'delivered';
CREATE INDEX generations_by_account ON generations (account, stage, seq);
CREATE INDEX generations_unfinished ON generations (holder) WHERE stage IN ('accepted', 'submitting', 'running', 'collecting');
CREATE INDEX submissions_by_account ON submissions (account, at);
CREATE INDEX requests_by_account ON requests (account, at);
CREATE INDEX tasks_by_age ON tasks (created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('generations',6);
COMMIT;