"""Forms of the jobs that people start by hand: batch inference, segments, exports, deletions."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from console.models import Account, DataDeletionJob, Dataset, DatasetExportJob, DatasetGroup
from console.shapes import JSONDict
from console.web.data.uploads import keep
from console.web.forms import OperationForm, group_choices, group_field, name_field
from console.web.languages import lazily

RESULTS = "results"
EXPORTED = {"ALL": lazily("All"), "BULK": lazily("Those imported"), "PUT": lazily("Those sent one by one")}
LOCATION_HELP = lazily("s3://BUCKET/KEY; a folder ends in a slash.")


def role_of(account: Account) -> str:
    """A role's ARN, which the contract asks for and this server does not use."""
    return f"arn:aws:iam::{account.number}:role/OpenPersonalize"


def default_name(prefix: str) -> str:
    """A name for a job that nobody cares to name."""
    return f"{prefix}-{timezone.now():%Y%m%d-%H%M%S}"


class JobForm(OperationForm):
    """What the forms of jobs share: a name, an input that may be uploaded, an output folder."""

    prefix_of_name: ClassVar[str]

    job_name = name_field()

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        """Propose a name and, where there is an output, a folder of that name."""
        name = default_name(self.prefix_of_name)
        initial = {"job_name": name, "output": f"s3://{RESULTS}/{name}/"} | kwargs.pop("initial", {})
        super().__init__(*args, initial=initial, **kwargs)
        self.account = account

    @classmethod
    def entered_for(cls, _job: Any) -> JSONDict:
        """What the form was filled with when a job was made, to start another with changes; its name and place are new."""
        return {}

    def input_location(self) -> str:
        """Where the input is: the uploaded file's place, or the location given."""
        file = self.cleaned_data.get("file")
        return (
            str(keep(self.account, file)) if isinstance(file, TemporaryUploadedFile) else self.cleaned_data["location"]
        )

    def clean(self) -> dict[str, Any]:
        """An input is either uploaded or named."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "location" in self.fields and not data.get("file") and not data.get("location"):
            self.add_error("file", gettext("Choose a file, or name a location below."))
        return data


def input_file(label: str, help_text: str) -> forms.FileField:
    """A file to upload as a job's input."""
    return forms.FileField(label=label, required=False, help_text=help_text)


def input_location() -> forms.CharField:
    """Where a job's input lies already."""
    return forms.CharField(label=lazily("Or its location"), required=False, max_length=256, help_text=LOCATION_HELP)


def output_folder() -> forms.CharField:
    """Where a job writes."""
    return forms.CharField(label=lazily("Output folder"), max_length=256, help_text="s3://BUCKET/FOLDER/")


class ExportForm(JobForm):
    """CreateDatasetExportJob."""

    operation: ClassVar[str] = "CreateDatasetExportJob"
    prefix_of_name: ClassVar[str] = "export"
    fields_of: ClassVar[dict[str, str]] = {"jobOutput": "output"}

    dataset_arn = forms.ChoiceField(label=gettext_lazy("Dataset"))
    ingestion_mode = forms.ChoiceField(
        label=gettext_lazy("Rows to export"),
        choices=list(EXPORTED.items()),
    )
    output = output_folder()

    @classmethod
    def entered_for(cls, job: DatasetExportJob) -> JSONDict:
        """What the job was asked for."""
        return {"dataset_arn": job.dataset.arn, "ingestion_mode": job.ingestion_mode}

    def __init__(self, *args: Any, group: DatasetGroup | None, **kwargs: Any) -> None:
        """Offer the datasets of the group, or of the account."""
        super().__init__(*args, **kwargs)
        rows = Dataset.objects.for_account(self.account).select_related("account", "dataset_group")
        rows = rows.filter(dataset_group=group) if group else rows
        choices = [(row.arn, row.arn_name) for row in rows]
        select = forms.Select(attrs={"class": "form-select"})
        self.fields["dataset_arn"] = forms.ChoiceField(label=gettext("Dataset"), choices=choices, widget=select)

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        return {
            "jobName": data["job_name"],
            "datasetArn": data["dataset_arn"],
            "ingestionMode": data["ingestion_mode"],
            "roleArn": role_of(self.account),
            "jobOutput": {"s3DataDestination": {"path": data["output"]}},
        }


class DeletionForm(JobForm):
    """CreateDataDeletionJob."""

    operation: ClassVar[str] = "CreateDataDeletionJob"
    prefix_of_name: ClassVar[str] = "deletion"
    fields_of: ClassVar[dict[str, str]] = {"dataSource": "location"}

    dataset_group_arn = group_field()
    file = input_file(lazily("Users to delete"), lazily("CSV with one column, USER_ID."))
    location = input_location()

    @classmethod
    def entered_for(cls, job: DataDeletionJob) -> JSONDict:
        """What the job was asked for."""
        return {"dataset_group_arn": job.dataset_group.arn, "location": job.data_location}

    def __init__(self, *args: Any, group: DatasetGroup | None, **kwargs: Any) -> None:
        """Offer the group, or all of the account's."""
        super().__init__(*args, **kwargs)
        rows = DatasetGroup.objects.for_account(self.account).select_related("account")
        group_choices(self, [group] if group else list(rows))

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        return {
            "jobName": data["job_name"],
            "datasetGroupArn": data["dataset_group_arn"],
            "roleArn": role_of(self.account),
            "dataSource": {"dataLocation": self.input_location()},
        }
