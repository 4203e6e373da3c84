-- A store as the program of schema 1 left it. Never change this file: it stands for files on users' disks.
BEGIN TRANSACTION;
CREATE TABLE bars (
        symbol TEXT NOT NULL, interval TEXT NOT NULL, start_s INTEGER NOT NULL,
        open REAL, high REAL, low REAL, close REAL NOT NULL, volume REAL,
        priority INTEGER NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (symbol, interval, start_s)
    ) WITHOUT ROWID;
INSERT INTO "bars" VALUES('^NDX','1d',1720569600,NULL,NULL,NULL,20675.38,NULL,30,1);
INSERT INTO "bars" VALUES('^NDX','1d',1720656000,20680.0,20690.97,20182.1,20211.36,NULL,30,1);
INSERT INTO "bars" VALUES('^RUT','1d',1720656000,NULL,NULL,NULL,2125.04,NULL,30,1);
CREATE TABLE panels (
        name TEXT PRIMARY KEY, compiled TEXT NOT NULL, imported_us INTEGER NOT NULL, tickers TEXT NOT NULL,
        days BLOB NOT NULL, close BLOB NOT NULL, source_id INTEGER NOT NULL REFERENCES sources (id)
    );
CREATE TABLE quotes (
        symbol TEXT NOT NULL, event_us INTEGER NOT NULL, arrival_us INTEGER NOT NULL,
        price REAL NOT NULL, previous_close REAL, open_price REAL, declared_delay_s REAL NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (symbol, event_us, arrival_us)
    ) WITHOUT ROWID;
INSERT INTO "quotes" VALUES('IWM',1720708200000000,1720708201000000,210.5,203.1,205.0,0.0,1);
CREATE TABLE series (
        series_id TEXT NOT NULL, day TEXT NOT NULL, available_us INTEGER NOT NULL, value REAL NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (series_id, day, available_us)
    ) WITHOUT ROWID;
INSERT INTO "series" VALUES('DGS2','2024-07-11',1720728000000000,4.5,1);
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO "sources" VALUES(1,'yahoo');
INSERT INTO "sources" VALUES(2,'names.csv');
INSERT INTO panels VALUES('names','2024-07-12',1720800000000000,'["AAA", "BBB"]',X'cb4d0000',X'00000000000024400000000000003440',2);
COMMIT;
PRAGMA user_version = 1;
