"""The process that calibrates: it computes a text and adds up what goes into the weights."""

from builder.child import Message, read_job, tell, telling_outcome
from builder.native.llamacpp import expose_binding
from builder.quality.activations import Activations
from builder.quality.chunk_job import CalibrateJob
from builder.quality.chunks import chunk_reader
from builder.quality.imatrix_file import write_imatrix


def main() -> None:
    """Do the job that stands on stdin."""
    job = read_job(CalibrateJob)
    expose_binding()
    with telling_outcome(job.output.parent):
        _calibrate(job)


def _calibrate(job: CalibrateJob) -> None:
    activations = Activations()
    with chunk_reader(job, activations.on_node) as reader:
        chunks = reader.chunks(job.text, job.max_chunks)
        tell(Message(num_chunks=len(chunks)))
        for chunk in chunks:
            # All outputs are wanted: without them the last layer would compute few rows.
            reader.compute(chunk, first_output=0)
            activations.check()
            tell(Message(is_next=True))
        write_imatrix(
            job.output,
            activations.sums(),
            dataset=job.dataset,
            num_chunks=len(chunks),
            chunk_tokens=reader.chunk_tokens,
        )


if __name__ == "__main__":
    main()
