SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.about (
    name character varying NOT NULL COLLATE pg_catalog."C",
    value character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.accounts (
    id bigint NOT NULL,
    slice character varying NOT NULL COLLATE pg_catalog."C",
    ordinal bigint NOT NULL,
    version character varying NOT NULL COLLATE pg_catalog."C",
    dataset character varying NOT NULL COLLATE pg_catalog."C",
    site character varying NOT NULL COLLATE pg_catalog."C",
    label character varying NOT NULL COLLATE pg_catalog."C",
    last boolean NOT NULL,
    read bigint NOT NULL,
    census character varying NOT NULL COLLATE pg_catalog."C",
    erased bigint NOT NULL,
    superseded bigint NOT NULL,
    quarantined bigint NOT NULL,
    decisions character varying NOT NULL COLLATE pg_catalog."C",
    bytes_read bigint NOT NULL,
    reopened boolean NOT NULL
);
CREATE SEQUENCE public.accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.comparisons (
    run character varying NOT NULL COLLATE pg_catalog."C",
    slice character varying NOT NULL COLLATE pg_catalog."C",
    ordinal bigint NOT NULL,
    version character varying NOT NULL COLLATE pg_catalog."C",
    region character varying NOT NULL COLLATE pg_catalog."C",
    dataset character varying NOT NULL COLLATE pg_catalog."C",
    matched bigint NOT NULL,
    missing bigint NOT NULL,
    extra bigint NOT NULL,
    altered bigint NOT NULL,
    unverified bigint NOT NULL,
    why character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.configs (
    digest character varying NOT NULL COLLATE pg_catalog."C",
    text character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.cuttings (
    dataset character varying NOT NULL COLLATE pg_catalog."C",
    text character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.failures (
    slice character varying NOT NULL COLLATE pg_catalog."C",
    version character varying NOT NULL COLLATE pg_catalog."C",
    attempts bigint NOT NULL,
    dataset character varying COLLATE pg_catalog."C",
    site character varying COLLATE pg_catalog."C",
    label character varying COLLATE pg_catalog."C",
    kind character varying COLLATE pg_catalog."C",
    why character varying COLLATE pg_catalog."C"
);
CREATE TABLE public.finished (
    plan character varying NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL
);
CREATE TABLE public.leases (
    name character varying NOT NULL COLLATE pg_catalog."C",
    holder character varying COLLATE pg_catalog."C",
    fence bigint NOT NULL,
    beat bigint NOT NULL
);
CREATE TABLE public.lines (
    batch bigint NOT NULL,
    region character varying NOT NULL COLLATE pg_catalog."C",
    site character varying NOT NULL COLLATE pg_catalog."C",
    place bigint NOT NULL,
    counts boolean NOT NULL,
    rows bigint NOT NULL,
    key bytea NOT NULL,
    size bigint NOT NULL,
    etag character varying NOT NULL COLLATE pg_catalog."C",
    version character varying COLLATE pg_catalog."C",
    sha256 character varying NOT NULL COLLATE pg_catalog."C",
    digest character varying NOT NULL COLLATE pg_catalog."C",
    replaced bigint NOT NULL
);
CREATE TABLE public.marks (
    writer character varying NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL
);
CREATE TABLE public.outbox (
    id bigint NOT NULL,
    digest bytea NOT NULL,
    body bytea NOT NULL
);
CREATE SEQUENCE public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_id_seq OWNED BY public.outbox.id;
CREATE TABLE public.plans (
    digest character varying NOT NULL COLLATE pg_catalog."C",
    saved bigint NOT NULL,
    body character varying NOT NULL COLLATE pg_catalog."C",
    estimates character varying NOT NULL COLLATE pg_catalog."C",
    made_at character varying NOT NULL COLLATE pg_catalog."C",
    expires_at character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.rulings (
    dataset character varying NOT NULL COLLATE pg_catalog."C",
    reason character varying NOT NULL COLLATE pg_catalog."C",
    verdict character varying NOT NULL COLLATE pg_catalog."C",
    decided_by character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.runs (
    number bigint NOT NULL,
    id character varying NOT NULL COLLATE pg_catalog."C",
    verb character varying NOT NULL COLLATE pg_catalog."C",
    mode character varying NOT NULL COLLATE pg_catalog."C",
    plan character varying COLLATE pg_catalog."C",
    config_digest character varying NOT NULL COLLATE pg_catalog."C",
    began_at character varying NOT NULL COLLATE pg_catalog."C",
    ended_at character varying COLLATE pg_catalog."C",
    state character varying NOT NULL COLLATE pg_catalog."C",
    summary character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.runs_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runs_number_seq OWNED BY public.runs.number;
CREATE TABLE public.stripes (
    plan character varying NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    dataset character varying NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL
);
CREATE TABLE public.waiting (
    id bigint NOT NULL,
    batch bigint NOT NULL,
    reason character varying NOT NULL COLLATE pg_catalog."C",
    region character varying NOT NULL COLLATE pg_catalog."C",
    place bigint NOT NULL,
    rows bigint NOT NULL,
    positions bytea NOT NULL,
    kept_site character varying COLLATE pg_catalog."C",
    kept_key bytea,
    kept_size bigint,
    kept_etag character varying COLLATE pg_catalog."C",
    kept_version character varying COLLATE pg_catalog."C",
    verdict character varying NOT NULL COLLATE pg_catalog."C",
    decided_by character varying COLLATE pg_catalog."C",
    why character varying COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.waiting_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.waiting_id_seq OWNED BY public.waiting.id;
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.runs ALTER COLUMN number SET DEFAULT nextval('public.runs_number_seq'::regclass);
ALTER TABLE ONLY public.waiting ALTER COLUMN id SET DEFAULT nextval('public.waiting_id_seq'::regclass);
INSERT INTO public.about VALUES ('id', '801547a139b34b7c8010299fb49f070b');
INSERT INTO public.accounts VALUES (2, '00000000000000000000000000000002', 0, 'v1', 'posts', 'us-east', 'posts/1.gz', true, 8, '{"-":5,"IE":2,"DE":1}', 0, 0, 0, 'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 1000, false);
INSERT INTO public.accounts VALUES (3, '00000000000000000000000000000002', 1, 'v1', 'posts', 'us-east', 'posts/1.gz', true, 9, '{"-":5,"DE":4}', 0, 0, 0, 'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 1000, false);
INSERT INTO public.accounts VALUES (5, '00000000000000000000000000000003', 0, 'v2', 'posts', 'us-east', 'posts/1.gz', true, 7, '{"-":5,"IE":2}', 0, 0, 0, 'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 1000, false);
INSERT INTO public.accounts VALUES (1, '00000000000000000000000000000001', 0, 'v1', 'posts', 'us-east', 'posts/1.gz', true, 12, '{"-":5,"IE":3}', 1, 0, 3, 'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 1000, true);
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.comparisons VALUES ('run-2', '00000000000000000000000000000001', 0, 'v1', 'IE', 'posts', 2, 1, 0, 0, 0, '');
INSERT INTO public.configs VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '{}');
INSERT INTO public.cuttings VALUES ('posts', '{"batch_bytes": 1}');
INSERT INTO public.failures VALUES ('00000000000000000000000000000008', 'v1', 2, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.failures VALUES ('00000000000000000000000000000009', 'v1', 1, 'posts', 'us-east', '9.gz', 'bad', 'truncated');
INSERT INTO public.leases VALUES ('live/aaaa/0', 'me', 1, 0);
INSERT INTO public.lines VALUES (1, 'IE', 'dublin-1', 0, true, 3, '\x706f7374732f726567696f6e3d49452fc3bc20edb3bf2b252e677a', 30, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '3:cd', 0);
INSERT INTO public.lines VALUES (1, 'IE', 'dublin-2', 1, false, 3, '\x706f7374732f726567696f6e3d49452fc3bc20edb3bf2b252e677a', 30, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '3:cd', 0);
INSERT INTO public.lines VALUES (2, 'IE', 'dublin-1', 0, true, 2, '\x706f7374732f726567696f6e3d49452fc3bc20edb3bf2b252e677a', 20, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '2:cd', 0);
INSERT INTO public.lines VALUES (2, 'DE', 'dublin-1', 1, true, 1, '\x706f7374732f726567696f6e3d44452fc3bc20edb3bf2b252e677a', 10, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '1:cd', 0);
INSERT INTO public.lines VALUES (3, 'DE', 'dublin-1', 0, true, 4, '\x706f7374732f726567696f6e3d44452fc3bc20edb3bf2b252e677a', 40, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '4:cd', 1);
INSERT INTO public.lines VALUES (5, 'IE', 'dublin-1', 0, true, 2, '\x706f7374732f726567696f6e3d49452fc3bc20edb3bf2b252e677a', 20, 'etag', 'v1', 'abababababababababababababababababababababababababababababababab', '2:cd', 1);
INSERT INTO public.outbox VALUES (1, '\xc4959278d0e89b6b69cef214446ff2b8c0bc7a671aeb98138f7ff7649c21f826', '\x656e747279206f662042617463684e616d6528736c6963653d273030303030303030303030303030303030303030303030303030303030303031272c206f7264696e616c3d302c2076657273696f6e3d2776312729');
INSERT INTO public.outbox VALUES (2, '\x82cda6c32f3f7f6f39645dbfc332d03ac10b7f2d3c6a5db359fcae710779f73e', '\x656e747279206f662042617463684e616d6528736c6963653d273030303030303030303030303030303030303030303030303030303030303032272c206f7264696e616c3d302c2076657273696f6e3d2776312729');
INSERT INTO public.outbox VALUES (3, '\xfa0bcc7927ff011a8c2568da047acc2cff29820410662316b6630634fc8a21f3', '\x656e747279206f662042617463684e616d6528736c6963653d273030303030303030303030303030303030303030303030303030303030303032272c206f7264696e616c3d312c2076657273696f6e3d2776312729');
INSERT INTO public.outbox VALUES (4, '\x0a28ee1dde83ba38693442124418430bc5471287de4755b34c99d7638c17bb7a', '\x656e747279206f662042617463684e616d6528736c6963653d273030303030303030303030303030303030303030303030303030303030303033272c206f7264696e616c3d302c2076657273696f6e3d2776312729');
INSERT INTO public.outbox VALUES (5, '\x99b6d0c27b76eb3725af0417a5e60a00dc9296563fd3d9f7f08f7ef9fdfa0051', '\x656e747279206f662042617463684e616d6528736c6963653d273030303030303030303030303030303030303030303030303030303030303033272c206f7264696e616c3d302c2076657273696f6e3d2776322729');
INSERT INTO public.plans VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, '{"config_digest": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", "datasets": ["posts", "logins"], "regions": ["IE", "DE"], "directories": {"posts": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}, "reconciled": {"logins": "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"}, "stripe_count": 2, "slice_count": 4, "bytes": 406}', '{"rows": 12, "cost": {"EUR": 1.5}}', '2026-03-01T12:00:00+00:00', '2026-03-08T12:00:00+00:00');
INSERT INTO public.rulings VALUES ('posts', 'conflict', 'drop', 'bob');
INSERT INTO public.runs VALUES (1, 'run-1', 'migrate', 'live', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '2026-03-01T12:00:00+00:00', '2026-03-01T12:00:00+00:00', 'incomplete', '{"read": 3}');
INSERT INTO public.stripes VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, 'posts', '\x789c858ec10e823010447f85f45ca54df400bf623c1459492350d35d4ac0f8efee168d477ad9ce9b9dc9bed43dc441d5562bdfaafaa2ccce537a6fc5aaab56ad238740d2f80c48c8b16db2879e408c090fe090d8fafdd87cc0225e74739903a539762baffc8115906b56a9b1c6686b2c0320d74916e448c8672488e8c32834094d9946e81df9b4a539cca8770df4ac59b2ba4df9f218662c4c71e260b31060712eaa4a0ac66968207ed7df1f359d5946');
INSERT INTO public.stripes VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'posts', '\x789c858fc10ec22010447f8570460b5113db5f311ea85d1b625b0c4b695ae3bfbb4b35de940bcc9b99cdf290571f7a5919255d23ab93d4bfce0e8e52fd8b94f2ac6463a345883cf1ee3122d5d69b3c7411d81871031623599f17993798d90b762a72a1d0db76a1c817180679ccc2638cd6ca684300a26db90b9af260389320a0f303d3c434651aa0b3d1a5b54d65429dada1234d92d465cc9b073fa1d0624fc57a8e80e220cafcbb61ec6b08eff8f305b75359c6');
INSERT INTO public.waiting VALUES (1, 1, 'orphan', '', 0, 2, '\x789c63e20000000e000b', 'dublin-1', '\x5f72657061747269612f71756172616e74696e652f78', 3, 'e', NULL, 'release', 'ada', 'they are back');
INSERT INTO public.waiting VALUES (2, 1, 'conflict', 'DE', 1, 1, '\x789c63010000050005', NULL, NULL, NULL, NULL, NULL, 'drop', 'bob', 'decided for the whole dataset');
SELECT pg_catalog.setval('public.accounts_id_seq', 5, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 5, true);
SELECT pg_catalog.setval('public.runs_number_seq', 1, true);
SELECT pg_catalog.setval('public.waiting_id_seq', 2, true);
ALTER TABLE ONLY public.about
    ADD CONSTRAINT about_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_batch UNIQUE (slice, ordinal);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.comparisons
    ADD CONSTRAINT comparisons_pkey PRIMARY KEY (run, slice, ordinal, version, region);
ALTER TABLE ONLY public.configs
    ADD CONSTRAINT configs_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.cuttings
    ADD CONSTRAINT cuttings_pkey PRIMARY KEY (dataset);
ALTER TABLE ONLY public.failures
    ADD CONSTRAINT failures_pkey PRIMARY KEY (slice, version);
ALTER TABLE ONLY public.finished
    ADD CONSTRAINT finished_pkey PRIMARY KEY (plan, number);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.lines
    ADD CONSTRAINT lines_pkey PRIMARY KEY (batch, region, site);
ALTER TABLE ONLY public.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (writer);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_digest UNIQUE (digest);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.rulings
    ADD CONSTRAINT rulings_pkey PRIMARY KEY (dataset, reason);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_id UNIQUE (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.stripes
    ADD CONSTRAINT stripes_pkey PRIMARY KEY (plan, number);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_entry UNIQUE (batch, reason, region);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.lines
    ADD CONSTRAINT lines_batch_fkey FOREIGN KEY (batch) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_batch_fkey FOREIGN KEY (batch) REFERENCES public.accounts(id);
