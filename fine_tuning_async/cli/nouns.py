"""The kinds of things that commands list, each with the columns of its table."""

from typing import NamedTuple

from fine_tuning_async.models import (
    CheckpointPermission,
    Deletion,
    File,
    FineTuningJob,
    GraderRun,
    JobCheckpoint,
    JobEvent,
    Model,
    UnknownGrader,
    WireObject,
)


class Noun(NamedTuple):
    """A kind of thing."""

    cls: type[WireObject]
    columns: str


JOBS = Noun(FineTuningJob, "id,status,user_provided_suffix,method.type,created_at,fine_tuned_model")
EVENTS = Noun(JobEvent, "created_at,level,message")
CHECKPOINTS = Noun(JobCheckpoint, "step_number,metrics.train_loss,metrics.valid_loss,fine_tuned_model_checkpoint")
FILES = Noun(File, "id,bytes,created_at,purpose,status,filename")
MODELS = Noun(Model, "id,created,owned_by")
PERMISSIONS = Noun(CheckpointPermission, "id,project_id,created_at")
DELETIONS = Noun(Deletion, "id,deleted")
GRADERS = Noun(UnknownGrader, "type,name")
RUNS = Noun(GraderRun, "reward,metadata.type,sub_rewards")
