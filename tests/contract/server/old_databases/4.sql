BEGIN TRANSACTION;
CREATE TABLE checkpoints (
    job_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    view BLOB NOT NULL,
    PRIMARY KEY (job_seq, number)
) WITHOUT ROWID;
INSERT INTO "checkpoints" VALUES(1,2,'ftckpt_WyGh4yauLYtHcbb0I4pOyEw7','ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO',CAST('{"object":"fine_tuning.job.checkpoint","id":"ftckpt_WyGh4yauLYtHcbb0I4pOyEw7","created_at":1795599564,"fine_tuned_model_checkpoint":"ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO","fine_tuning_job_id":"ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y","metrics":{"step":2,"train_loss":0.070699,"train_mean_token_accuracy":0.965268,"type":"supervised"},"step_number":2}' AS BLOB));
INSERT INTO "checkpoints" VALUES(4,2,'ftckpt_nFUsCiTXtBdLR7WKg6N0IACf','ft:gpt-4o-mini-2024-07-18:local:running:qoeBSd1y:ckpt-step-2',CAST('{"object":"fine_tuning.job.checkpoint","id":"ftckpt_nFUsCiTXtBdLR7WKg6N0IACf","created_at":1795599590,"fine_tuned_model_checkpoint":"ft:gpt-4o-mini-2024-07-18:local:running:qoeBSd1y:ckpt-step-2","fine_tuning_job_id":"ftjob-EStbP8VR4LfCoC9cEYRjuDiA","metrics":{"step":2,"train_loss":1.034711,"train_mean_token_accuracy":0.596095,"type":"supervised"},"step_number":2}' AS BLOB));
INSERT INTO "checkpoints" VALUES(4,4,'ftckpt_SmbFQJ431j7I4TUOJTtK3dSc','ft:gpt-4o-mini-2024-07-18:local:running:qS2s42zv:ckpt-step-4',CAST('{"object":"fine_tuning.job.checkpoint","id":"ftckpt_SmbFQJ431j7I4TUOJTtK3dSc","created_at":1795599596,"fine_tuned_model_checkpoint":"ft:gpt-4o-mini-2024-07-18:local:running:qS2s42zv:ckpt-step-4","fine_tuning_job_id":"ftjob-EStbP8VR4LfCoC9cEYRjuDiA","metrics":{"step":4,"train_loss":0.276721,"train_mean_token_accuracy":0.870785,"type":"supervised"},"step_number":4}' AS BLOB));
INSERT INTO "checkpoints" VALUES(5,2,'ftckpt_AaV6CbTawSocmIuHcN05UvZU','ft:gpt-4o-mini-2024-07-18:local:paused:1iX6EnZO:ckpt-step-2',CAST('{"object":"fine_tuning.job.checkpoint","id":"ftckpt_AaV6CbTawSocmIuHcN05UvZU","created_at":1795599590,"fine_tuned_model_checkpoint":"ft:gpt-4o-mini-2024-07-18:local:paused:1iX6EnZO:ckpt-step-2","fine_tuning_job_id":"ftjob-eIK5Hbq739J5YisPdUAJqhI6","metrics":{"step":2,"train_loss":0.877908,"train_mean_token_accuracy":0.64471,"type":"supervised"},"step_number":2}' AS BLOB));
CREATE TABLE chunks (
    file_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (file_seq, number)
);
INSERT INTO "chunks" VALUES(1,0,X'7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A');
INSERT INTO "chunks" VALUES(2,0,X'7B7D0A');
INSERT INTO "chunks" VALUES(3,0,X'737465702C747261696E5F6C6F73732C747261696E5F61636375726163792C76616C69645F6C6F73732C76616C69645F6D65616E5F746F6B656E5F61636375726163790A312C302E3331343030352C302E3835343730322C2C0A322C302E3037303639392C302E3936353236382C2C0A');
INSERT INTO "chunks" VALUES(4,0,X'7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A');
INSERT INTO "chunks" VALUES(5,0,X'7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A202232202B2032227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202234227D5D7D0A');
INSERT INTO "chunks" VALUES(7,0,CAST('a part' AS BLOB));
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    job_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    spent REAL NOT NULL DEFAULT 0,
    due_at REAL
);
INSERT INTO "deliveries" VALUES(1,'wh_5de50a81f05673bc02633b561da6f0f9','http://127.0.0.1:9/','ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y','fine_tuning.job.succeeded',CAST('{"id":"evt_f42ab9f04689d3d88e53e537537b0f46","object":"event","type":"fine_tuning.job.succeeded","created_at":1795599564,"data":{"id":"ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y"}}' AS BLOB),'pending',1,'ClientConnectorError',5.01234150000527733936e-01,25911.525701941);
INSERT INTO "deliveries" VALUES(2,'wh_6e83e8f9ff5d6ea752bb825707450c55','http://127.0.0.1:9/','ftjob-uX2xsobgVgsFin1dmJRVZ88Y','fine_tuning.job.failed',CAST('{"id":"evt_1d539b4f427effa4a057bed4055de814","object":"event","type":"fine_tuning.job.failed","created_at":1795599564,"data":{"id":"ftjob-uX2xsobgVgsFin1dmJRVZ88Y"}}' AS BLOB),'pending',1,'ClientConnectorError',5.00945399002375779673e-01,25911.5258158);
INSERT INTO "deliveries" VALUES(3,'wh_6daa3b1f407c477b386984881a99f598','http://127.0.0.1:9/','ftjob-UKgxlEUkqxEIeS8fzhgXC2jg','fine_tuning.job.cancelled',CAST('{"id":"evt_c8b3053b85865e1b3779d1667119b71a","object":"event","type":"fine_tuning.job.cancelled","created_at":1795599564,"data":{"id":"ftjob-UKgxlEUkqxEIeS8fzhgXC2jg"}}' AS BLOB),'pending',1,'ClientConnectorError',5.00824789000034797936e-01,25911.525924833);
CREATE TABLE events (
    job_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    view BLOB NOT NULL,
    PRIMARY KEY (job_seq, number)
) WITHOUT ROWID;
INSERT INTO "events" VALUES(1,1,'ftevent-XUmReBSc0CjOd0OZf0Wzcgsk',CAST('{"object":"fine_tuning.job.event","id":"ftevent-XUmReBSc0CjOd0OZf0Wzcgsk","created_at":1795599564,"level":"info","message":"Created fine-tuning job: ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(1,2,'ftevent-xAArzCwmtJsbq8hma3dZj8Zi',CAST('{"object":"fine_tuning.job.event","id":"ftevent-xAArzCwmtJsbq8hma3dZj8Zi","created_at":1795599564,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(1,3,'ftevent-woD0reOvazur1Ox6QF9IYRK3',CAST('{"object":"fine_tuning.job.event","id":"ftevent-woD0reOvazur1Ox6QF9IYRK3","created_at":1795599564,"level":"info","message":"Files validated, moving job to queued state","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(1,4,'ftevent-JQJWDKwfWm6s7KzHLDzKo414',CAST('{"object":"fine_tuning.job.event","id":"ftevent-JQJWDKwfWm6s7KzHLDzKo414","created_at":1795599564,"level":"info","message":"Fine-tuning job started","data":null,"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(1,5,'ftevent-HA6CqZeUEdqizthHVeMrigTU',CAST('{"object":"fine_tuning.job.event","id":"ftevent-HA6CqZeUEdqizthHVeMrigTU","created_at":1795599564,"level":"info","message":"Step 1/2: training loss=0.31","data":{"step":1,"total_steps":2,"train_loss":0.314005,"train_mean_token_accuracy":0.854702},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(1,6,'ftevent-ERBxIXzZ681gmehWEd5Oiih9',CAST('{"object":"fine_tuning.job.event","id":"ftevent-ERBxIXzZ681gmehWEd5Oiih9","created_at":1795599564,"level":"info","message":"Step 2/2: training loss=0.07","data":{"step":2,"total_steps":2,"train_loss":0.070699,"train_mean_token_accuracy":0.965268},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(1,7,'ftevent-X5zVMmOgvc4stlKOQAF9lLfb',CAST('{"object":"fine_tuning.job.event","id":"ftevent-X5zVMmOgvc4stlKOQAF9lLfb","created_at":1795599564,"level":"info","message":"New fine-tuned model created: ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(1,8,'ftevent-nMtOTBOPdFeip8dM9WJ0WQdd',CAST('{"object":"fine_tuning.job.event","id":"ftevent-nMtOTBOPdFeip8dM9WJ0WQdd","created_at":1795599564,"level":"info","message":"The job has successfully completed","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(2,1,'ftevent-WdvLkxWTSjt8xfC98gF1hBQq',CAST('{"object":"fine_tuning.job.event","id":"ftevent-WdvLkxWTSjt8xfC98gF1hBQq","created_at":1795599564,"level":"info","message":"Created fine-tuning job: ftjob-uX2xsobgVgsFin1dmJRVZ88Y","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(2,2,'ftevent-pUaGQLvcT1X6vUF3lMOnoX5c',CAST('{"object":"fine_tuning.job.event","id":"ftevent-pUaGQLvcT1X6vUF3lMOnoX5c","created_at":1795599564,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(2,3,'ftevent-VhRSxA1fCZ3bZOCYZhdPtcf7',CAST('{"object":"fine_tuning.job.event","id":"ftevent-VhRSxA1fCZ3bZOCYZhdPtcf7","created_at":1795599564,"level":"error","message":"The job failed due to an internal error.","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(3,1,'ftevent-DCcVQgdxvc0g5RIgSILgD2Ex',CAST('{"object":"fine_tuning.job.event","id":"ftevent-DCcVQgdxvc0g5RIgSILgD2Ex","created_at":1795599564,"level":"info","message":"Created fine-tuning job: ftjob-UKgxlEUkqxEIeS8fzhgXC2jg","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(3,2,'ftevent-bziZhW6uYCsXBOk5WQhKEvkn',CAST('{"object":"fine_tuning.job.event","id":"ftevent-bziZhW6uYCsXBOk5WQhKEvkn","created_at":1795599564,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(3,3,'ftevent-gMsDtSkAJHDzBZpAXlhD1IAb',CAST('{"object":"fine_tuning.job.event","id":"ftevent-gMsDtSkAJHDzBZpAXlhD1IAb","created_at":1795599564,"level":"info","message":"The job was cancelled","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,1,'ftevent-x97lHLPSuWTfCReAejAEpUVG',CAST('{"object":"fine_tuning.job.event","id":"ftevent-x97lHLPSuWTfCReAejAEpUVG","created_at":1795599564,"level":"info","message":"Created fine-tuning job: ftjob-EStbP8VR4LfCoC9cEYRjuDiA","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,2,'ftevent-sCkFkNde2jqxP3hBDMP0gb8Z',CAST('{"object":"fine_tuning.job.event","id":"ftevent-sCkFkNde2jqxP3hBDMP0gb8Z","created_at":1795599564,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,3,'ftevent-wmOXnNqPa38b3cOoodbGSZNm',CAST('{"object":"fine_tuning.job.event","id":"ftevent-wmOXnNqPa38b3cOoodbGSZNm","created_at":1795599574,"level":"info","message":"Files validated, moving job to queued state","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,4,'ftevent-DxqdXfaLYLutFyRcJlRxPr7k',CAST('{"object":"fine_tuning.job.event","id":"ftevent-DxqdXfaLYLutFyRcJlRxPr7k","created_at":1795599584,"level":"info","message":"Fine-tuning job started","data":null,"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,5,'ftevent-F1TM88YPg9M8geihWU3iQGva',CAST('{"object":"fine_tuning.job.event","id":"ftevent-F1TM88YPg9M8geihWU3iQGva","created_at":1795599587,"level":"info","message":"Step 1/8: training loss=1.15","data":{"step":1,"total_steps":8,"train_loss":1.153246,"train_mean_token_accuracy":0.561792},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(4,6,'ftevent-QKlSuFgtPmhZDCFuDwH9J6SK',CAST('{"object":"fine_tuning.job.event","id":"ftevent-QKlSuFgtPmhZDCFuDwH9J6SK","created_at":1795599590,"level":"info","message":"Step 2/8: training loss=1.03","data":{"step":2,"total_steps":8,"train_loss":1.034711,"train_mean_token_accuracy":0.596095},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(4,7,'ftevent-2SAJJu97zhy5r5sTBD3TtsgE',CAST('{"object":"fine_tuning.job.event","id":"ftevent-2SAJJu97zhy5r5sTBD3TtsgE","created_at":1795599590,"level":"info","message":"Checkpoint created at step 2 with Snapshot ID: ft:gpt-4o-mini-2024-07-18:local:running:qoeBSd1y:ckpt-step-2","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(4,8,'ftevent-dH2Zmshq1ZX44SCfBZzhCXTG',CAST('{"object":"fine_tuning.job.event","id":"ftevent-dH2Zmshq1ZX44SCfBZzhCXTG","created_at":1795599593,"level":"info","message":"Step 3/8: training loss=0.60","data":{"step":3,"total_steps":8,"train_loss":0.60441,"train_mean_token_accuracy":0.739187},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(4,9,'ftevent-IMhPgVsxw8tFQ2ADmHHbiS9M',CAST('{"object":"fine_tuning.job.event","id":"ftevent-IMhPgVsxw8tFQ2ADmHHbiS9M","created_at":1795599596,"level":"info","message":"Step 4/8: training loss=0.28","data":{"step":4,"total_steps":8,"train_loss":0.276721,"train_mean_token_accuracy":0.870785},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(4,10,'ftevent-Zs1kejpsw3xhA2JDkjZ2ugQ0',CAST('{"object":"fine_tuning.job.event","id":"ftevent-Zs1kejpsw3xhA2JDkjZ2ugQ0","created_at":1795599596,"level":"info","message":"Checkpoint created at step 4 with Snapshot ID: ft:gpt-4o-mini-2024-07-18:local:running:qS2s42zv:ckpt-step-4","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,1,'ftevent-ArBsgQ2yH2gyWtsfZltquLqm',CAST('{"object":"fine_tuning.job.event","id":"ftevent-ArBsgQ2yH2gyWtsfZltquLqm","created_at":1795599564,"level":"info","message":"Created fine-tuning job: ftjob-eIK5Hbq739J5YisPdUAJqhI6","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,2,'ftevent-2l4rAtoVEb9rvPC67bzY46ml',CAST('{"object":"fine_tuning.job.event","id":"ftevent-2l4rAtoVEb9rvPC67bzY46ml","created_at":1795599564,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,3,'ftevent-Sp2NrIOQtMsmHnb1Ran5QVv2',CAST('{"object":"fine_tuning.job.event","id":"ftevent-Sp2NrIOQtMsmHnb1Ran5QVv2","created_at":1795599574,"level":"info","message":"Files validated, moving job to queued state","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,4,'ftevent-uftWbnvfXYXxFa2qXgYWjjS5',CAST('{"object":"fine_tuning.job.event","id":"ftevent-uftWbnvfXYXxFa2qXgYWjjS5","created_at":1795599584,"level":"info","message":"Fine-tuning job started","data":null,"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,5,'ftevent-E3qxCL4Zye1Safvz9rCmGyzK',CAST('{"object":"fine_tuning.job.event","id":"ftevent-E3qxCL4Zye1Safvz9rCmGyzK","created_at":1795599587,"level":"info","message":"Step 1/8: training loss=1.48","data":{"step":1,"total_steps":8,"train_loss":1.479399,"train_mean_token_accuracy":0.477257},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(5,6,'ftevent-WemNgYu9dRWn366jBRVcG1qP',CAST('{"object":"fine_tuning.job.event","id":"ftevent-WemNgYu9dRWn366jBRVcG1qP","created_at":1795599590,"level":"info","message":"Step 2/8: training loss=0.88","data":{"step":2,"total_steps":8,"train_loss":0.877908,"train_mean_token_accuracy":0.64471},"type":"metrics"}' AS BLOB));
INSERT INTO "events" VALUES(5,7,'ftevent-WGIddkEuRh3dwrY1Ng0tLZCa',CAST('{"object":"fine_tuning.job.event","id":"ftevent-WGIddkEuRh3dwrY1Ng0tLZCa","created_at":1795599590,"level":"info","message":"Checkpoint created at step 2 with Snapshot ID: ft:gpt-4o-mini-2024-07-18:local:paused:1iX6EnZO:ckpt-step-2","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,8,'ftevent-2rVreo2VOXzdp1giKfR28ZGR',CAST('{"object":"fine_tuning.job.event","id":"ftevent-2rVreo2VOXzdp1giKfR28ZGR","created_at":1795599591,"level":"info","message":"Pausing the job","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(5,9,'ftevent-0PLlzpmiFCke9o9TleowcQyk',CAST('{"object":"fine_tuning.job.event","id":"ftevent-0PLlzpmiFCke9o9TleowcQyk","created_at":1795599596,"level":"info","message":"The job was paused","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(6,1,'ftevent-cUbeuxeRwf3jAS0eKnF36hLg',CAST('{"object":"fine_tuning.job.event","id":"ftevent-cUbeuxeRwf3jAS0eKnF36hLg","created_at":1795599596,"level":"info","message":"Created fine-tuning job: ftjob-yznV1NMsLFSAorGgzybJoFOs","data":{},"type":"message"}' AS BLOB));
INSERT INTO "events" VALUES(6,2,'ftevent-I1PCkYSIo1rMc5x9yeOFcVuR',CAST('{"object":"fine_tuning.job.event","id":"ftevent-I1PCkYSIo1rMc5x9yeOFcVuR","created_at":1795599596,"level":"info","message":"Validating training file: file-uSgsDCW9YK1TnNgiiZW67TSB","data":{},"type":"message"}' AS BLOB));
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    purpose TEXT,
    filename TEXT,
    size INTEGER,
    expires_at INTEGER,
    view BLOB
);
INSERT INTO "files" VALUES(1,'file-uSgsDCW9YK1TnNgiiZW67TSB','fine-tune','t.jsonl',920,NULL,CAST('{"object":"file","id":"file-uSgsDCW9YK1TnNgiiZW67TSB","purpose":"fine-tune","filename":"t.jsonl","bytes":920,"created_at":1795599564,"expires_at":null,"status":"processed","status_details":null}' AS BLOB));
INSERT INTO "files" VALUES(2,'file-hN3jlbk13Wl7M8g53ymftz5c','batch','b.jsonl',3,NULL,CAST('{"object":"file","id":"file-hN3jlbk13Wl7M8g53ymftz5c","purpose":"batch","filename":"b.jsonl","bytes":3,"created_at":1795599564,"expires_at":null,"status":"processed","status_details":null}' AS BLOB));
INSERT INTO "files" VALUES(3,'file-FiWyZUmGEXTtBAF6B8nbgu4S','fine-tune-results','step_metrics.csv',112,NULL,CAST('{"object":"file","id":"file-FiWyZUmGEXTtBAF6B8nbgu4S","purpose":"fine-tune-results","filename":"step_metrics.csv","bytes":112,"created_at":1795599564,"expires_at":null,"status":"processed","status_details":null}' AS BLOB));
INSERT INTO "files" VALUES(4,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(5,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(6,'file-UowZGqrf0YDYRYBnCeuc7aLA','fine-tune','parts.jsonl',920,NULL,CAST('{"object":"file","id":"file-UowZGqrf0YDYRYBnCeuc7aLA","purpose":"fine-tune","filename":"parts.jsonl","bytes":920,"created_at":1795599596,"expires_at":null,"status":"processed","status_details":null}' AS BLOB));
INSERT INTO "files" VALUES(7,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE idempotency (
    key BLOB PRIMARY KEY,
    digest BLOB NOT NULL,
    job_id TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "idempotency" VALUES(CAST('key-of-done' AS BLOB),X'27EED617DAA4E787C3654801DD17DB57EEDE536D1546AF1CD103E901732F1338','ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y');
CREATE TABLE job_metadata (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    job_seq INTEGER NOT NULL,
    PRIMARY KEY (key, value, job_seq)
) WITHOUT ROWID;
INSERT INTO "job_metadata" VALUES('run','1',1);
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL,
    view BLOB NOT NULL,
    due_at REAL,
    has_metadata INTEGER NOT NULL
);
INSERT INTO "jobs" VALUES(1,'ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y',CAST('{"id":"ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y","created_at":1795599564,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"done","seed":893058709,"method":"supervised","settings":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":2.0}},"integrations":[],"metadata":{"run":"1"},"extra":{},"status":"succeeded","finished_at":1795599564,"fine_tuned_model":"ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO","result_files":["file-FiWyZUmGEXTtBAF6B8nbgu4S"],"trained_tokens":227,"error":null,"estimated_finish":null,"seq":1,"due_at":null,"step":2,"examples":10,"tokens":227,"events":8,"held_in":null,"held_for":0.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-0X8awjcZdB4Yqxa6Mmx0gj4y","model":"gpt-4o-mini-2024-07-18","created_at":1795599564,"finished_at":1795599564,"fine_tuned_model":"ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO","organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":["file-FiWyZUmGEXTtBAF6B8nbgu4S"],"status":"succeeded","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":2.0},"trained_tokens":227,"error":null,"user_provided_suffix":"done","seed":893058709,"estimated_finish":null,"integrations":[],"metadata":{"run":"1"},"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":2.0}}}}' AS BLOB),NULL,1);
INSERT INTO "jobs" VALUES(2,'ftjob-uX2xsobgVgsFin1dmJRVZ88Y',CAST('{"id":"ftjob-uX2xsobgVgsFin1dmJRVZ88Y","created_at":1795599564,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"failed","seed":1186718336,"method":"supervised","settings":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}},"integrations":[],"metadata":null,"extra":{},"status":"failed","finished_at":null,"fine_tuned_model":null,"result_files":[],"trained_tokens":null,"error":{"code":"server_error","message":"The job failed due to an internal error.","param":null},"estimated_finish":null,"seq":2,"due_at":null,"step":0,"examples":0,"tokens":0,"events":3,"held_in":null,"held_for":0.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-uX2xsobgVgsFin1dmJRVZ88Y","model":"gpt-4o-mini-2024-07-18","created_at":1795599564,"finished_at":null,"fine_tuned_model":null,"organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":[],"status":"failed","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"},"trained_tokens":null,"error":{"code":"server_error","message":"The job failed due to an internal error.","param":null},"user_provided_suffix":"failed","seed":1186718336,"estimated_finish":null,"integrations":[],"metadata":null,"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}}}}' AS BLOB),NULL,0);
INSERT INTO "jobs" VALUES(3,'ftjob-UKgxlEUkqxEIeS8fzhgXC2jg',CAST('{"id":"ftjob-UKgxlEUkqxEIeS8fzhgXC2jg","created_at":1795599564,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"cancelled","seed":50016111,"method":"supervised","settings":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}},"integrations":[],"metadata":null,"extra":{},"status":"cancelled","finished_at":null,"fine_tuned_model":null,"result_files":[],"trained_tokens":null,"error":null,"estimated_finish":null,"seq":3,"due_at":null,"step":0,"examples":0,"tokens":0,"events":3,"held_in":null,"held_for":0.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-UKgxlEUkqxEIeS8fzhgXC2jg","model":"gpt-4o-mini-2024-07-18","created_at":1795599564,"finished_at":null,"fine_tuned_model":null,"organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":[],"status":"cancelled","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"},"trained_tokens":null,"error":null,"user_provided_suffix":"cancelled","seed":50016111,"estimated_finish":null,"integrations":[],"metadata":null,"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}}}}' AS BLOB),NULL,0);
INSERT INTO "jobs" VALUES(4,'ftjob-EStbP8VR4LfCoC9cEYRjuDiA',CAST('{"id":"ftjob-EStbP8VR4LfCoC9cEYRjuDiA","created_at":1795599564,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"running","seed":841001362,"method":"supervised","settings":{"hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0}},"integrations":[],"metadata":null,"extra":{},"status":"running","finished_at":null,"fine_tuned_model":null,"result_files":[],"trained_tokens":null,"error":null,"estimated_finish":1795599613,"seq":4,"due_at":1795599599.463329,"step":4,"examples":10,"tokens":227,"events":10,"held_in":null,"held_for":0.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-EStbP8VR4LfCoC9cEYRjuDiA","model":"gpt-4o-mini-2024-07-18","created_at":1795599564,"finished_at":null,"fine_tuned_model":null,"organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":[],"status":"running","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0},"trained_tokens":null,"error":null,"user_provided_suffix":"running","seed":841001362,"estimated_finish":1795599613,"integrations":[],"metadata":null,"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0}}}}' AS BLOB),1.79559959946332907678e+09,0);
INSERT INTO "jobs" VALUES(5,'ftjob-eIK5Hbq739J5YisPdUAJqhI6',CAST('{"id":"ftjob-eIK5Hbq739J5YisPdUAJqhI6","created_at":1795599564,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"paused","seed":564266512,"method":"supervised","settings":{"hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0}},"integrations":[],"metadata":null,"extra":{},"status":"paused","finished_at":null,"fine_tuned_model":null,"result_files":[],"trained_tokens":null,"error":null,"estimated_finish":null,"seq":5,"due_at":null,"step":2,"examples":10,"tokens":227,"events":9,"held_in":"running","held_for":2.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-eIK5Hbq739J5YisPdUAJqhI6","model":"gpt-4o-mini-2024-07-18","created_at":1795599564,"finished_at":null,"fine_tuned_model":null,"organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":[],"status":"paused","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0},"trained_tokens":null,"error":null,"user_provided_suffix":"paused","seed":564266512,"estimated_finish":null,"integrations":[],"metadata":null,"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":4,"batch_size":5,"learning_rate_multiplier":2.0}}}}' AS BLOB),NULL,0);
INSERT INTO "jobs" VALUES(6,'ftjob-yznV1NMsLFSAorGgzybJoFOs',CAST('{"id":"ftjob-yznV1NMsLFSAorGgzybJoFOs","created_at":1795599596,"model":"gpt-4o-mini-2024-07-18","training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","validation_file":null,"suffix":"waiting","seed":1355067567,"method":"supervised","settings":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}},"integrations":[],"metadata":null,"extra":{},"status":"validating_files","finished_at":null,"fine_tuned_model":null,"result_files":[],"trained_tokens":null,"error":null,"estimated_finish":null,"seq":6,"due_at":1795599606.463329,"step":0,"examples":0,"tokens":0,"events":2,"held_in":null,"held_for":0.0}' AS BLOB),CAST('{"object":"fine_tuning.job","id":"ftjob-yznV1NMsLFSAorGgzybJoFOs","model":"gpt-4o-mini-2024-07-18","created_at":1795599596,"finished_at":null,"fine_tuned_model":null,"organization_id":"org-FtWx509VOjqqfWxFakpwyv2F","result_files":[],"status":"validating_files","validation_file":null,"training_file":"file-uSgsDCW9YK1TnNgiiZW67TSB","hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"},"trained_tokens":null,"error":null,"user_provided_suffix":"waiting","seed":1355067567,"estimated_finish":null,"integrations":[],"metadata":null,"usage_metrics":null,"shared_with_openai":false,"eval_id":null,"method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":1,"batch_size":5,"learning_rate_multiplier":"auto"}}}}' AS BLOB),1.79559960646332907683e+09,0);
CREATE TABLE models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    view BLOB NOT NULL
);
INSERT INTO "models" VALUES(1,'ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO',CAST('{"id":"ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO","object":"model","created":1795599564,"owned_by":"local"}' AS BLOB));
INSERT INTO "models" VALUES(2,'ft:gpt-4o-mini-2024-07-18:local:running:qoeBSd1y:ckpt-step-2',CAST('{"id":"ft:gpt-4o-mini-2024-07-18:local:running:qoeBSd1y:ckpt-step-2","object":"model","created":1795599590,"owned_by":"local"}' AS BLOB));
INSERT INTO "models" VALUES(3,'ft:gpt-4o-mini-2024-07-18:local:paused:1iX6EnZO:ckpt-step-2',CAST('{"id":"ft:gpt-4o-mini-2024-07-18:local:paused:1iX6EnZO:ckpt-step-2","object":"model","created":1795599590,"owned_by":"local"}' AS BLOB));
INSERT INTO "models" VALUES(4,'ft:gpt-4o-mini-2024-07-18:local:running:qS2s42zv:ckpt-step-4',CAST('{"id":"ft:gpt-4o-mini-2024-07-18:local:running:qS2s42zv:ckpt-step-4","object":"model","created":1795599596,"owned_by":"local"}' AS BLOB));
CREATE TABLE parts (
    file_seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    upload_seq INTEGER NOT NULL,
    size INTEGER NOT NULL,
    whole_seq INTEGER,
    start INTEGER
);
INSERT INTO "parts" VALUES(4,'part_c283153001c91f0a881d77eff95843c1',1,460,6,0);
INSERT INTO "parts" VALUES(5,'part_126ff7145a2f43708ddb9be97a44c77b',1,460,6,460);
INSERT INTO "parts" VALUES(7,'part_574129faed212b9a2e3c17757bbc78f2',2,6,NULL,NULL);
CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    checkpoint TEXT NOT NULL,
    project_id TEXT NOT NULL,
    view BLOB NOT NULL,
    UNIQUE (checkpoint, project_id)
);
INSERT INTO "permissions" VALUES(1,'cp_URtAsloUObvSRB6aPApaiKb3','ft:gpt-4o-mini-2024-07-18:local:done:tzQGwGmO','proj-1',CAST('{"object":"checkpoint.permission","id":"cp_URtAsloUObvSRB6aPApaiKb3","created_at":1795599596,"project_id":"proj-1"}' AS BLOB));
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value REAL NOT NULL
) WITHOUT ROWID;
INSERT INTO "settings" VALUES('time',1.79559959646332907676e+09);
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    status TEXT NOT NULL,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER NOT NULL,
    life INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
INSERT INTO "uploads" VALUES(1,'upload_aeaeada7da863e479b05b1341e8f7e85','completed','fine-tune','parts.jsonl',920,NULL,1795599596,1795603196);
INSERT INTO "uploads" VALUES(2,'upload_2a9782bef7630ff59631392cf32ec361','pending','fine-tune','parts.jsonl',9,NULL,1795599596,1795603196);
CREATE TABLE verdicts (
    file_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    verdict BLOB NOT NULL,
    PRIMARY KEY (file_id, kind)
) WITHOUT ROWID;
INSERT INTO "verdicts" VALUES('file-uSgsDCW9YK1TnNgiiZW67TSB','supervised',CAST('{"examples":10,"tokens":227,"line":null,"code":null,"message":null}' AS BLOB));
CREATE TABLE webhooks (
    url TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    events TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "webhooks" VALUES('http://127.0.0.1:9/','whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA','fine_tuning.job.succeeded fine_tuning.job.failed fine_tuning.job.cancelled');
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_without_metadata ON jobs (seq) WHERE has_metadata = 0;
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX files_whole ON files (seq) WHERE id IS NOT NULL;
CREATE INDEX files_purpose ON files (purpose, seq) WHERE id IS NOT NULL;
CREATE INDEX files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE status = 'pending';
CREATE INDEX parts_upload ON parts (upload_seq);
CREATE UNIQUE INDEX parts_whole ON parts (whole_seq, start) WHERE whole_seq IS NOT NULL;
CREATE INDEX permissions_checkpoint ON permissions (checkpoint, seq);
CREATE INDEX deliveries_due ON deliveries (url, due_at) WHERE due_at IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('files',7);
INSERT INTO "sqlite_sequence" VALUES('jobs',6);
INSERT INTO "sqlite_sequence" VALUES('models',4);
INSERT INTO "sqlite_sequence" VALUES('deliveries',3);
INSERT INTO "sqlite_sequence" VALUES('permissions',1);
INSERT INTO "sqlite_sequence" VALUES('uploads',2);
COMMIT;
PRAGMA application_id = 1718903155;
PRAGMA user_version = 4;
