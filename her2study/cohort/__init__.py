"""Who is studied: simulated, public or own patients, their flow and their splits."""
