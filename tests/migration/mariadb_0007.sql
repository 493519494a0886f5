CREATE TABLE `agent` (
  `number` bigint(20) NOT NULL AUTO_INCREMENT,
  `name` varchar(250) NOT NULL,
  PRIMARY KEY (`number`),
  UNIQUE KEY `uq_agent_name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `alembic_version` (
  `version_num` varchar(32) NOT NULL,
  PRIMARY KEY (`version_num`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `attempt` (
  `attempt` bigint(20) NOT NULL,
  `run_id` bigint(20) NOT NULL,
  `task_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `number` int(11) NOT NULL,
  `state` smallint(6) NOT NULL CHECK (`state` between 1 and 3 or `state` between 5 and 7 or `state` = 10),
  `agent` bigint(20) NOT NULL,
  `queued_at` bigint(20) NOT NULL,
  `started_after` bigint(20) DEFAULT NULL,
  `finished_after` bigint(20) DEFAULT NULL,
  `error_class` smallint(6) DEFAULT NULL CHECK (`error_class` between 1 and 3),
  `failure` longtext DEFAULT NULL,
  `log_segment` bigint(20) DEFAULT NULL,
  `log_offset` bigint(20) DEFAULT NULL,
  `log_length` bigint(20) DEFAULT NULL,
  `peak_kib` bigint(20) NOT NULL,
  `cpu_ms` bigint(20) NOT NULL,
  PRIMARY KEY (`attempt`),
  KEY `ix_attempt_fell_short` (`run_id`,`task_no`,`map_index`),
  CONSTRAINT `ck_attempt_finished` CHECK (`finished_after` is null or `state` = 3 or `state` between 5 and 7 or `state` = 10)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `audit` (
  `seq` bigint(20) NOT NULL,
  `at` bigint(20) NOT NULL,
  `who` varchar(250) NOT NULL,
  `via` varchar(250) NOT NULL,
  `action` varchar(250) NOT NULL,
  `subject` longtext NOT NULL,
  `facts` longtext NOT NULL,
  `digest` varchar(64) NOT NULL,
  PRIMARY KEY (`seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `dag_problem` (
  `file` varchar(250) NOT NULL,
  `position` smallint(6) NOT NULL,
  `code` varchar(250) NOT NULL,
  `what` longtext NOT NULL,
  `line` int(11) NOT NULL,
  `column` int(11) NOT NULL,
  `help` longtext NOT NULL,
  PRIMARY KEY (`file`,`position`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `event` (
  `run_id` bigint(20) NOT NULL,
  `seq` bigint(20) NOT NULL,
  `at` bigint(20) NOT NULL,
  `cause` smallint(6) NOT NULL CHECK (`cause` between 1 and 59),
  `was` smallint(6) NOT NULL CHECK (`was` between 0 and 10),
  `becomes` smallint(6) NOT NULL CHECK (`becomes` between 0 and 10),
  `task_no` bigint(20) DEFAULT NULL,
  `map_index` bigint(20) NOT NULL,
  `attempt` bigint(20) DEFAULT NULL,
  `facts` longtext DEFAULT NULL,
  PRIMARY KEY (`run_id`,`seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `item` (
  `run_id` bigint(20) NOT NULL,
  `scope_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `value` longblob NOT NULL,
  PRIMARY KEY (`run_id`,`scope_no`,`map_index`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `log_segment` (
  `number` bigint(20) NOT NULL AUTO_INCREMENT,
  `name` varchar(250) NOT NULL,
  PRIMARY KEY (`number`),
  UNIQUE KEY `uq_log_segment_name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `meta` (
  `one` smallint(6) NOT NULL CHECK (`one` = 1),
  `epoch` bigint(20) NOT NULL,
  `leader` varchar(250) NOT NULL,
  `led_since` bigint(20) DEFAULT NULL,
  `dags_revision` bigint(20) NOT NULL,
  `backfills_revision` bigint(20) NOT NULL,
  `beat` bigint(20) NOT NULL,
  `last_attempt` bigint(20) NOT NULL,
  `taken_at` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`one`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `outbox` (
  `outbox_id` bigint(20) NOT NULL AUTO_INCREMENT,
  `dedup_key` varchar(250) NOT NULL,
  `action` varchar(10) NOT NULL CHECK (`action` in ('trigger','resolve')),
  `severity` varchar(10) NOT NULL CHECK (`severity` in ('critical','error','warning','info')),
  `summary` longtext NOT NULL,
  `at` bigint(20) NOT NULL,
  `details` longtext NOT NULL,
  `tries` int(11) NOT NULL,
  `next_at` bigint(20) DEFAULT NULL,
  `delivered_at` bigint(20) DEFAULT NULL,
  `error` longtext NOT NULL,
  PRIMARY KEY (`outbox_id`),
  KEY `ix_outbox_dedup_key` (`dedup_key`),
  KEY `ix_outbox_next_at` (`next_at`),
  CONSTRAINT `ck_outbox_delivered` CHECK (`next_at` is null or `delivered_at` is null)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `output` (
  `run_id` bigint(20) NOT NULL,
  `task_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `value` longblob NOT NULL,
  PRIMARY KEY (`run_id`,`task_no`,`map_index`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `pool` (
  `name` varchar(250) NOT NULL,
  `slots` int(11) NOT NULL CHECK (`slots` >= 0),
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `source` (
  `digest` varchar(32) NOT NULL,
  `code` longblob NOT NULL,
  PRIMARY KEY (`digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `task_instance` (
  `run_id` bigint(20) NOT NULL,
  `task_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `state` smallint(6) NOT NULL CHECK (`state` between 1 and 9),
  `changed_at` bigint(20) NOT NULL,
  `attempt` bigint(20) DEFAULT NULL,
  `due_at` bigint(20) DEFAULT NULL,
  `waiting_since` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`run_id`,`task_no`,`map_index`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `dag_version` (
  `version_no` bigint(20) NOT NULL AUTO_INCREMENT,
  `version` varchar(32) NOT NULL,
  `file` longtext NOT NULL,
  `source` varchar(32) NOT NULL,
  `spec` longblob NOT NULL,
  `created_at` bigint(20) NOT NULL,
  PRIMARY KEY (`version_no`),
  UNIQUE KEY `uq_dag_version_version` (`version`),
  KEY `fk_dag_version_source` (`source`),
  CONSTRAINT `fk_dag_version_source` FOREIGN KEY (`source`) REFERENCES `source` (`digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `dag` (
  `dag_no` bigint(20) NOT NULL AUTO_INCREMENT,
  `dag_id` varchar(250) NOT NULL,
  `version_no` bigint(20) NOT NULL,
  `file` longtext NOT NULL,
  `paused_at` bigint(20) DEFAULT NULL,
  `paused_by` varchar(250) DEFAULT NULL,
  `scheduled_until` bigint(20) DEFAULT NULL,
  `retired_at` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`dag_no`),
  UNIQUE KEY `uq_dag_dag_id` (`dag_id`),
  KEY `fk_dag_version_no` (`version_no`),
  CONSTRAINT `fk_dag_version_no` FOREIGN KEY (`version_no`) REFERENCES `dag_version` (`version_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `backfill` (
  `backfill_id` bigint(20) NOT NULL AUTO_INCREMENT,
  `dag_no` bigint(20) NOT NULL,
  `chosen` longtext NOT NULL,
  `reprocess` varchar(10) NOT NULL CHECK (`reprocess` in ('missing','failed','all')),
  `newest_first` smallint(6) NOT NULL,
  `batch` int(11) NOT NULL CHECK (`batch` > 0),
  `cascade` smallint(6) NOT NULL,
  `params` longblob NOT NULL,
  `max_active_runs` int(11) NOT NULL CHECK (`max_active_runs` > 0),
  `share` float NOT NULL CHECK (`share` between 0 and 1),
  `state` varchar(10) NOT NULL CHECK (`state` in ('running','paused','cancelled')),
  `created_at` bigint(20) NOT NULL,
  `created_by` varchar(250) NOT NULL,
  PRIMARY KEY (`backfill_id`),
  KEY `ix_backfill_dag` (`dag_no`),
  CONSTRAINT `fk_backfill_dag_no` FOREIGN KEY (`dag_no`) REFERENCES `dag` (`dag_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `expectation` (
  `dag_no` bigint(20) NOT NULL,
  `interval_start` bigint(20) NOT NULL,
  `due_at` bigint(20) NOT NULL,
  `state` varchar(10) NOT NULL CHECK (`state` in ('expected','met','missed')),
  `at` bigint(20) NOT NULL,
  PRIMARY KEY (`dag_no`,`interval_start`),
  KEY `ix_expectation_state` (`state`),
  CONSTRAINT `fk_expectation_dag_no` FOREIGN KEY (`dag_no`) REFERENCES `dag` (`dag_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `switched_off` (
  `dag_no` bigint(20) NOT NULL,
  `task_id` varchar(250) NOT NULL,
  `becomes` varchar(10) NOT NULL CHECK (`becomes` in ('success','skipped')),
  `at` bigint(20) NOT NULL,
  `switched_by` varchar(250) NOT NULL,
  PRIMARY KEY (`dag_no`,`task_id`),
  CONSTRAINT `fk_switched_off_dag_no` FOREIGN KEY (`dag_no`) REFERENCES `dag` (`dag_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `run` (
  `run_id` bigint(20) NOT NULL AUTO_INCREMENT,
  `dag_no` bigint(20) NOT NULL,
  `version_no` bigint(20) NOT NULL,
  `run_key` varchar(250) NOT NULL,
  `kind` smallint(6) NOT NULL CHECK (`kind` between 1 and 4),
  `state` smallint(6) NOT NULL CHECK (`state` between 1 and 2 or `state` between 5 and 7),
  `interval_start` bigint(20) NOT NULL,
  `interval_end` bigint(20) NOT NULL,
  `params` longblob NOT NULL,
  `created_at` bigint(20) NOT NULL,
  `started_at` bigint(20) DEFAULT NULL,
  `finished_at` bigint(20) DEFAULT NULL,
  `cancel_requested_at` bigint(20) DEFAULT NULL,
  `cancel_requested_by` varchar(250) DEFAULT NULL,
  `backfill_id` bigint(20) DEFAULT NULL,
  `created_by` varchar(250) NOT NULL,
  `parent_run` bigint(20) DEFAULT NULL,
  `parent_task` bigint(20) DEFAULT NULL,
  `parent_map_index` bigint(20) DEFAULT NULL,
  `based_on` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`run_id`),
  UNIQUE KEY `uq_run_dag_no` (`dag_no`,`run_key`),
  KEY `fk_run_version_no` (`version_no`),
  KEY `ix_run_dag_finished` (`dag_no`,`finished_at`),
  KEY `ix_run_backfill` (`backfill_id`,`state`),
  KEY `ix_run_state` (`state`),
  KEY `ix_run_dag_state` (`dag_no`,`state`),
  KEY `ix_run_dag_interval` (`dag_no`,`interval_start`,`interval_end`),
  KEY `ix_run_cancel_requested` (`state`),
  CONSTRAINT `fk_run_backfill_id` FOREIGN KEY (`backfill_id`) REFERENCES `backfill` (`backfill_id`),
  CONSTRAINT `fk_run_dag_no` FOREIGN KEY (`dag_no`) REFERENCES `dag` (`dag_no`),
  CONSTRAINT `fk_run_version_no` FOREIGN KEY (`version_no`) REFERENCES `dag_version` (`version_no`),
  CONSTRAINT `ck_run_interval` CHECK (`interval_start` < `interval_end`),
  CONSTRAINT `ck_run_finished` CHECK (`state` between 5 and 7 = (`finished_at` is not null))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `intervention` (
  `intervention_id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run_id` bigint(20) NOT NULL,
  `task_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `what` varchar(20) NOT NULL CHECK (`what` in ('approve','decline','mark_success','mark_failed','mark_skipped')),
  `decided_by` varchar(250) NOT NULL,
  `at` bigint(20) NOT NULL,
  PRIMARY KEY (`intervention_id`),
  KEY `fk_intervention_run_id` (`run_id`),
  CONSTRAINT `fk_intervention_run_id` FOREIGN KEY (`run_id`) REFERENCES `run` (`run_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `rejected` (
  `rejected_id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run_id` bigint(20) NOT NULL,
  `task_no` bigint(20) NOT NULL,
  `map_index` bigint(20) NOT NULL,
  `attempt` bigint(20) NOT NULL,
  `at` bigint(20) NOT NULL,
  `asset` longtext NOT NULL,
  `partition` longtext NOT NULL,
  `path` longtext NOT NULL,
  `count` bigint(20) NOT NULL,
  `reasons` longtext NOT NULL,
  PRIMARY KEY (`rejected_id`),
  KEY `fk_rejected_attempt` (`attempt`),
  KEY `ix_rejected_run` (`run_id`),
  CONSTRAINT `fk_rejected_attempt` FOREIGN KEY (`attempt`) REFERENCES `attempt` (`attempt`),
  CONSTRAINT `fk_rejected_run_id` FOREIGN KEY (`run_id`) REFERENCES `run` (`run_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO pool VALUES ('default', 128), ('gpu', 3);
INSERT INTO meta VALUES (1, 4, 'somebody', 8, 2, 1, 7, 0, NULL);
INSERT INTO alembic_version VALUES ('0007')
